#include "process/snapshots.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include "process/clock.h"
#include "process/resident_memory.h"
#include "process/untracked.h"
#include "tracker.h"

namespace heapray {
namespace {

// Looking costs some ten milliseconds for a gigabyte. So it is done as the highest RSS grows: a few dozen times,
// however long the run, and for a twentieth of the time at most.
constexpr int64_t kBetweenLooksMs = 100;
constexpr int64_t kTimesAsLong = 20;
constexpr uint64_t kMuchMore = 20;

int64_t ThreadCpuMs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

HeldFd OpenStatm() { return HeldFd(OwnedFd(open("/proc/self/statm", O_RDONLY | O_CLOEXEC))); }

// Resident bytes, from an open /proc/self/statm.
uint64_t ReadRss(int statm) {
  char text[128];
  ssize_t bytes = pread(statm, text, sizeof text - 1, 0);
  if (bytes <= 0) return 0;
  text[bytes] = 0;
  // The second number, in pages.
  const char* resident = strchr(text, ' ');
  if (resident == nullptr) return 0;
  return strtoull(resident, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void Snapshots::Start(uint32_t interval_ms, std::function<void(MemoryFigures&)> take,
                      std::function<void()> before_looks) {
  take_ = std::move(take);
  before_looks_ = std::move(before_looks);
  start_ms_ = MonotonicMs();
  stopping_ = false;
  statm_ = OpenStatm();
  next_look_ms_ = start_ms_;
  looked_at_rss_ = 0;
  Take(Look::kNever);
  // Signals are the program's: its handlers must not run on our thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this, interval_ms] { Run(interval_ms); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Snapshots::Run(uint32_t interval_ms) {
  Untracked untracked;
  pthread_setname_np(pthread_self(), "heapray");
  std::unique_lock lock(mutex_);
  auto due = std::chrono::steady_clock::now();
  while (!stopping_) {
    due += std::chrono::milliseconds(interval_ms);
    wake_.wait_until(lock, due, [this] { return stopping_; });
    if (stopping_) break;
    Take(Look::kIfMuchMore);
    // After a pause (a stopped process, a busy machine) what was missed is not made up for.
    due = std::max(due, std::chrono::steady_clock::now() - std::chrono::milliseconds(interval_ms));
  }
}

void Snapshots::Take(Look look) {
  MemoryFigures figures;
  int64_t now = MonotonicMs();
  figures.time_ms = static_cast<uint64_t>(now - start_ms_);
  if (statm_.get() < 0) statm_ = OpenStatm();
  figures.rss = ReadRss(statm_.get());
  bool due = look == Look::kIfMore && figures.rss > looked_at_rss_;
  if (look == Look::kIfMuchMore && now >= next_look_ms_) {
    due = figures.rss > looked_at_rss_ + looked_at_rss_ / kMuchMore;
  }
  if (due) {
    Untracked untracked;
    if (before_looks_) std::exchange(before_looks_, nullptr)();
    looked_at_rss_ = figures.rss;
    int64_t before = ThreadCpuMs();
    figures.resident = ReadResidentMemory();
    next_look_ms_ = now + std::max(kBetweenLooksMs, kTimesAsLong * (ThreadCpuMs() - before));
  }
  take_(figures);
}

void Snapshots::Stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  Take(Look::kIfMore);
  statm_.Close();
}

}  // namespace heapray
