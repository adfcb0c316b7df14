#include "process/write_behind.h"

#include <sys/prctl.h>

#include <algorithm>

#include "process/futex.h"
#include "process/own_thread.h"
#include "tracker.h"

namespace heapray {
namespace {

constexpr int64_t kDelayUs = 10'000;
constexpr int64_t kShortestUs = 50;
constexpr int64_t kLongestUs = 80'000;
constexpr unsigned long kTimerSlackNs = 1000;
constexpr size_t kStackBytes = 256u << 10;
constexpr uint32_t kFull = RecordQueue::kCapacity / 8 * 7;
constexpr uint32_t kHalfFull = RecordQueue::kCapacity / 2;
constexpr uint32_t kNearlyEmpty = RecordQueue::kCapacity / 4;

// How long to wait, after waiting so long and then finding that. Waking up costs a server under load more than what
// there is to write down.
int64_t NextDelay(int64_t delay_us, const RecordOrder::Traffic& traffic) {
  if (traffic.most >= kFull) {
    // A thread whose queue is full writes it down itself. To be earlier is of use where there is a core for it: if the
    // thread went on meanwhile, rather than made way.
    bool has_core = traffic.meanwhile >= traffic.most / 32;
    return has_core ? std::max(delay_us / 2, kShortestUs) : kDelayUs;
  }
  // Memory snapshots write down too, and may do so often enough.
  int64_t by_others = static_cast<int64_t>(traffic.times) - 1;
  bool others_do = by_others * kDelayUs >= delay_us * 3 / 4 && traffic.most < kHalfFull;
  if (others_do && delay_us >= kDelayUs) return std::min(delay_us * 2, kLongestUs);
  if (delay_us > kDelayUs) return kDelayUs;
  return traffic.most < kNearlyEmpty ? std::min(delay_us * 2, kDelayUs) : delay_us;
}

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
  prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0);
  int64_t delay_us = kDelayUs;
  while (stopping_ == 0) {
    RecordOrder::Traffic traffic;
    if (tracker.WriteDownPending(&traffic)) {
      delay_us = NextDelay(delay_us, traffic);
      WaitOnce(stopping_, 0, delay_us);
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
