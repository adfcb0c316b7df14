#include "process/write_behind.h"

#include "process/futex.h"
#include "process/own_thread.h"
#include "tracker.h"

namespace heapray {
namespace {

constexpr int64_t kDelayMs = 5;
constexpr size_t kStackBytes = 256u << 10;

}  // namespace

bool WriteBehind::Start() {
  Untracked untracked;
  stopping_ = 0;
  running_ = StartOwnThread(
      &thread_,
      [](void* self) -> void* {
        static_cast<WriteBehind*>(self)->Run();
        return nullptr;
      },
      this, kStackBytes);
  return running_;
}

void WriteBehind::Run() {
  Untracked untracked;
  pthread_setname_np(pthread_self(), "heapray");
  Tracker& tracker = Tracker::Get();
  while (stopping_ == 0) {
    if (tracker.WriteDownPending()) {
      WaitWhile(stopping_, 0, kDelayMs);
    } else if (stopping_ == 0) {
      tracker.WaitForRecords();
    }
  }
}

void WriteBehind::Stop() {
  if (!running_) return;
  running_ = false;
  stopping_ = 1;
  Wake(stopping_);
  Tracker::Get().EndWait();
  pthread_join(thread_, nullptr);
}

}  // namespace heapray
