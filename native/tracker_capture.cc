// How a capture begins and ends, by whatever end the process or the file comes to.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "aggregate/aggregating_recorder.h"
#include "process/futex.h"
#include "stacks/native_symbols.h"
#include "thread_state.h"
#include "tracker.h"

namespace heapray {

namespace {

constexpr size_t kLongestReason = 448;
// How long the end of the process waits for threads that write to the capture.
constexpr int64_t kEndPatienceMs = 2000;
// How long the end of a capture waits for threads that are in the middle of a record, and the end of a thread for
// others.
constexpr int64_t kRecordPatienceMs = 100;

uint64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

bool Tracker::Start(Options options, int* error) {
  Untracked untracked;
  SpinLock::Guard space_guard(space_lock_);
  SpinLock::Guard guard(lock_);
  options_ = std::move(options);
  stacks_.store(options_.stacks, std::memory_order_release);
  runtime_.store(options_.runtime, std::memory_order_release);
  owner_pid_ = getpid();
  failed_.store(false, std::memory_order_release);
  threads_ = 0;
  names_.ForgetNumbers();
  session_.fetch_add(1, std::memory_order_release);
  writer_ = std::make_unique<RecordWriter>(options_.sink.get());
  aggregator_ = options_.aggregate ? std::make_unique<AggregatingRecorder>(writer_.get()) : nullptr;
  recorder_ = options_.aggregate ? aggregator_.get() : writer_.get();
  tree_ = std::make_unique<StackTree>(writer_.get(), options_.stacks);
  address_space_ = AddressSpace();
  address_space_.ReadExisting();
  if (!writer_->Header(options_.metadata_json)) {
    *error = options_.sink->error();
    options_.sink.reset();
    return false;
  }
  options_.sink->Flush();
  if (options_.sink->error() != 0) {
    *error = options_.sink->error();
    options_.sink.reset();
    return false;
  }
  active_.store(session_, std::memory_order_release);
  return true;
}

bool Tracker::Stop(const char* reason) {
  Untracked untracked;
  std::unique_ptr<Sink> sink;
  bool ended = false;
  bool complete;
  {
    SpinLock::Guard space_guard(space_lock_);
    SpinLock::Guard guard(lock_);
    complete = !failed_;
    if (getpid() == owner_pid_ && active_.exchange(0) != 0) {
      // Here alone: a process that is dying may hold locks that reading files needs.
      complete = !options_.embed_symbols ||
                 EmbedSymbols(*writer_, *tree_, tree_->native().modules(), tree_->native().frames());
      complete = WriteEnd(reason, 0) && complete;
      ended = true;
      closing_ = 1;
    }
    tree_.reset();
    recorder_ = nullptr;
    aggregator_.reset();
    writer_.reset();
    sink = std::move(options_.sink);
    address_space_ = AddressSpace();
  }
  // Without the lock: a client at the other end of a socket may take its time, and no other thread waits for it.
  if (!ended) return complete;
  complete = Close(*sink, complete);
  closing_ = 0;
  Wake(closing_);
  return complete;
}

void Tracker::Forget() {
  // Other threads may have been in the middle of any of it.
  (void)tree_.release();
  (void)aggregator_.release();
  (void)writer_.release();
  if (Sink* sink = options_.sink.release()) sink->Forget();
  new (&names_) ThreadNames;
  recorder_ = nullptr;
}

bool Tracker::WriteEnd(const char* reason, int signal) {
  bool written = order_.WriteDownAll(*recorder_, session_, kRecordPatienceMs);
  char number[24] = "";
  if (signal != 0) snprintf(number, sizeof number, R"(,"signal":%d)", signal);
  char trailer[96];
  snprintf(trailer, sizeof trailer, R"({"endTimeMs":%llu,"reason":"%s"%s})", static_cast<unsigned long long>(NowMs()),
           reason, number);
  return recorder_->Complete(trailer) && written;
}

bool Tracker::Close(Sink& sink, bool written) {
  bool complete = sink.Close() && written;
  if (complete) return true;
  char reason[kLongestReason];
  sink.Explain(options_.destination.c_str(), reason, sizeof reason);
  TellOfFailure("the capture is not complete", reason);
  return false;
}

void Tracker::EndNow(const char* reason, int signal) {
  if (getpid() != owner_pid_ || lock_.HeldByThisThread()) return;
  Untracked untracked;
  if (!lock_.LockWithin(kEndPatienceMs)) return;
  if (active_.exchange(0) != 0) Close(*options_.sink, WriteEnd(reason, signal));
  lock_.Unlock();
  // Another thread is in the middle of Stop().
  WaitWhile(closing_, 1, kEndPatienceMs);
}

bool Tracker::LetGo(bool crashed) {
  // What it was in the middle of will not be told. (The C library ends a program whose heap is damaged from inside
  // realloc.)
  ThreadState* thread = CurrentThreadIfKnown();
  if (crashed && thread != nullptr && thread->queue != nullptr) RecordOrder::Abandon(*thread->queue);
  return !lock_.HeldByThisThread();
}

// The program goes on as if untracked; what was recorded until now is a capture.
void Tracker::Fail() {
  if (active_.exchange(0) == 0) return;
  failed_.store(true, std::memory_order_release);
  char reason[kLongestReason];
  options_.sink->Explain(options_.destination.c_str(), reason, sizeof reason);
  options_.sink->Close();
  TellOfFailure("tracking stopped, the program goes on", reason);
}

void Tracker::TellOfFailure(const char* consequence, const char* reason) {
  char message[kLongestReason + 64];
  int length = snprintf(message, sizeof message, "heapray: %s: %s\n", consequence, reason);
  if (length > 0)
    (void)!write(STDERR_FILENO, message,
                 static_cast<size_t>(length) < sizeof message ? static_cast<size_t>(length) : sizeof message - 1);
}

}  // namespace heapray
