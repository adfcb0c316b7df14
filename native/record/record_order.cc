#include "record/record_order.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "process/clock.h"
#include "process/kept_errno.h"
#include "process/own_memory.h"

namespace heapray {
namespace {

// Waking up takes a system call of the thread that has something to say.
constexpr int kIdleCalls = 4;

bool Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

bool RecordOrder::AskForFences() { return Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

RecordQueue* RecordOrder::Open() {
  RecordQueue* queue = nullptr;
  if (!unused_.empty()) {
    queue = unused_.back();
    unused_.pop_back();
  } else {
    if (queues_.size() >= kSlotMask) return nullptr;
    // Not from the program's heap.
    void* room = mmap(nullptr, sizeof(RecordQueue), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return nullptr;
    OwnMemory::Add(room, sizeof(RecordQueue));
    queue = new (room) RecordQueue;
    queues_.push_back(queue);
    queue->slot_ = static_cast<uint32_t>(queues_.size());
    parts_.reserve(queues_.capacity());
  }
  return queue;
}

void RecordOrder::Close(RecordQueue* queue) {
  queue->session_ = 0;
  unused_.push_back(queue);
}

void RecordOrder::Enter(RecordQueue& queue, uint32_t session, uint32_t thread_index) {
  queue.tail_.store(queue.head_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  queue.turn_.store(turn_.load(std::memory_order_relaxed) >> kSlotBits, std::memory_order_relaxed);
  queue.encoding_ = ThreadEncoding();
  queue.encoding_.index = thread_index;
  queue.session_ = session;
}

uint64_t RecordOrder::TakeTurn(RecordQueue& queue, uint64_t now) {
  uint64_t next;
  do {
    // Told first: a thread that loses its core in here holds others back as little as can be.
    queue.turn_.store(now >> kSlotBits, std::memory_order_relaxed);
    next = ((now >> kSlotBits) + 1) << kSlotBits | queue.slot_;
  } while (!turn_.compare_exchange_weak(now, next, std::memory_order_acq_rel, std::memory_order_acquire));
  queue.turn_.store(next >> kSlotBits, std::memory_order_relaxed);
  queue.own_turn_ = next;
  if ((now & kSlotMask) == kNobody) {
    KeptErrno kept;
    EndRest();
  }
  return next;
}

bool RecordOrder::Rest() {
  idle_calls_ = wrote_ ? 0 : idle_calls_ + 1;
  wrote_ = false;
  if (idle_calls_ < kIdleCalls) return false;
  uint64_t now = turn_.load(std::memory_order_acquire);
  resting_ = 1;
  // Whoever has something to say has to take the turn from nobody, and notices.
  if (!turn_.compare_exchange_strong(now, ((now >> kSlotBits) + 1) << kSlotBits | kNobody)) resting_ = 0;
  return resting_ == 1;
}

bool RecordOrder::WriteDownAll(Recorder& recorder, uint32_t session, int64_t patience_ms) {
  FenceAll();
  int64_t end = MonotonicMs() + patience_ms;
  for (RecordQueue* queue : queues_) {
    while (queue->session_ == session && queue->busy_.load(std::memory_order_acquire) && MonotonicMs() < end)
      sched_yield();
  }
  return WriteDown(recorder, session, true);
}

void RecordOrder::FenceAll() {
  if (fences_at_need_.load(std::memory_order_relaxed)) Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  // The others had theirs when they said that they are busy.
  fence_.exchange(0);
}

uint64_t RecordOrder::LastComplete(uint32_t session, bool all) {
  uint64_t now = turn_.load(std::memory_order_acquire) >> kSlotBits;
  // The turn goes on: nobody but its owner has made a record of it since.
  if (now == settled_) return now;
  // Whoever began a record before this has told so by now; whoever begins one after it finds a turn that is not over,
  // or takes a later one.
  FenceAll();
  if (all) return now;
  bool settled = true;
  uint64_t last = now;
  for (const RecordQueue* queue : queues_) {
    if (queue->session_ != session || !queue->busy_.load(std::memory_order_acquire)) continue;
    settled = false;
    last = std::min(last, queue->turn_.load(std::memory_order_relaxed));
  }
  if (settled) settled_ = now;
  return last;
}

bool RecordOrder::WriteDown(Recorder& recorder, uint32_t session, bool all) {
  auto last = static_cast<uint32_t>(LastComplete(session, all));
  parts_.clear();
  RecordQueue* fullest = nullptr;
  uint32_t fullest_head = 0;
  uint32_t most = 0;
  for (RecordQueue* queue : queues_) {
    if (queue->session_ != session) continue;
    uint32_t head = queue->head_.load(std::memory_order_acquire);
    uint32_t tail = queue->tail_.load(std::memory_order_relaxed);
    if (head == tail) continue;
    if (head - tail > most) {
      fullest = queue;
      fullest_head = head;
      most = head - tail;
    }
    parts_.push_back({queue, tail, head, queue->records_[tail % RecordQueue::kCapacity].turn});
  }
  wrote_ |= !parts_.empty();
  std::make_heap(parts_.begin(), parts_.end(), Older);
  bool written = true;
  while (!parts_.empty() && written) {
    std::pop_heap(parts_.begin(), parts_.end(), Older);
    Part& part = parts_.back();
    if (static_cast<int32_t>(part.turn - last) > 0) break;
    written = Write(recorder, part);
    if (part.next == part.end) {
      parts_.pop_back();
    } else {
      std::push_heap(parts_.begin(), parts_.end(), Older);
    }
  }
  traffic_.times++;
  traffic_.most = std::max(traffic_.most, most);
  traffic_.meanwhile = fullest == nullptr ? 0 : fullest->head_.load(std::memory_order_relaxed) - fullest_head;
  return written;
}

// Writes the records of the part's first turn.
bool RecordOrder::Write(Recorder& recorder, Part& part) {
  RecordQueue& queue = *part.queue;
  uint32_t turn = part.turn;
  bool written = true;
  while (part.next != part.end && part.turn == turn) {
    uint32_t from = part.next % RecordQueue::kCapacity;
    uint32_t most = std::min<uint32_t>(part.end - part.next, RecordQueue::kCapacity - from);
    uint32_t count = most;
    // Turns only grow.
    if (queue.records_[from + most - 1].turn != turn) {
      count = 1;
      while (queue.records_[from + count].turn == turn) count++;
    }
    written = recorder.Records(queue.encoding_, &queue.records_[from], count) && written;
    part.next += count;
    if (part.next != part.end) part.turn = queue.records_[part.next % RecordQueue::kCapacity].turn;
  }
  queue.tail_.store(part.next, std::memory_order_release);
  return written;
}

}  // namespace heapray
