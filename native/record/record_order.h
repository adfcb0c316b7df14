// The order of what happens on different threads, without a lock and without a clock.
//
// Each thread keeps its records in a queue of its own. All that must not get lost is what happened after what where
// threads hand memory to each other: a block's free comes before the allocation that got its address next, on whatever
// thread. For that, threads take turns. One word says whose turn it is: a thread that finds itself in it just goes on,
// which costs a load of what nobody else writes; any other makes the next turn its own. What a thread knows of another
// thread's doings, it knows because of something that the other did before: by then that thread's turn had begun, so
// this one's is a later one. Writing records down in the order of their turns keeps every such order.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "process/futex.h"
#include "record/record_queue.h"
#include "record/recorder.h"

namespace heapray {

class RecordOrder {
 public:
  // A thread's side, without a lock.

  // Makes one or more records, while it exists, of what has just happened or is about to happen. There must be room.
  class Making {
   public:
    Making(RecordOrder& order, RecordQueue& queue) : order_(order), queue_(queue) {
      // What follows must not be seen before this. Where the kernel can make all threads pass a fence when it matters,
      // they need none of their own each time.
      if (order_.fences_at_need_.load(std::memory_order_relaxed)) [[likely]] {
        queue_.busy_.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
      } else {
        queue_.busy_.exchange(true);
      }
    }
    ~Making() { queue_.busy_.store(false, std::memory_order_release); }
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;

    // Whether that is the thread's own turn already; *turn is its number then.
    bool IsOwnTurn(uint32_t* turn) const {
      uint64_t now = order_.turn_.load(std::memory_order_acquire);
      *turn = static_cast<uint32_t>(now >> kSlotBits);
      return now == queue_.own_turn_;
    }
    // The turn of what happens now.
    uint32_t Turn() {
      uint64_t now = order_.turn_.load(std::memory_order_acquire);
      if (now != queue_.own_turn_) [[unlikely]]
        now = order_.TakeTurn(queue_, now);
      return static_cast<uint32_t>(now >> kSlotBits);
    }
    void Add(const PendingRecord& record) { queue_.Add(record); }

   private:
    RecordOrder& order_;
    RecordQueue& queue_;
  };

  // Called early in a hook: other threads' turns are a cache miss that goes on while the stack is walked.
  void Prepare() const { __builtin_prefetch(&turn_, 1); }

  // Waits until a thread makes a record after Rest() returned true, or until EndRest().
  void WaitForRecords() { WaitWhile(resting_, 1, -1); }
  void EndRest() {
    resting_ = 0;
    Wake(resting_);
  }

  // For a thread that will never come to the end of a Making.
  static void Abandon(RecordQueue& queue) { queue.busy_.store(false, std::memory_order_release); }

  // Asks the kernel for fences at need. That may take it some milliseconds. Returns false when it has none.
  static bool AskForFences();

  // Under the tracker's lock.

  // The kernel has been asked. Until now, and where it has none, each record bears a fence of its own.
  void FenceAtNeed() { fences_at_need_.store(true, std::memory_order_relaxed); }
  // A queue for a thread, or nullptr when there is no memory for one.
  RecordQueue* Open();
  // Its thread ends, or will use it no more.
  void Close(RecordQueue* queue);
  // Makes the thread's queue part of a session, by its own thread: what it held of another is dropped.
  void Enter(RecordQueue& queue, uint32_t session, uint32_t thread_index);

  // Hands what can be told of a session to the recorder, in order. What a thread is in the middle of, and what came
  // after that, stays. Returns false once the recorder cannot go on. Does not allocate.
  bool WriteDown(Recorder& recorder, uint32_t session) { return WriteDown(recorder, session, false); }
  // What write-downs found since this was asked last.
  struct Traffic {
    uint32_t times = 0;      // how many there were
    uint32_t most = 0;       // records that one queue had
    uint32_t meanwhile = 0;  // those that came to that queue during the last one
  };
  Traffic TakeTraffic() { return std::exchange(traffic_, {}); }
  // Whether there was nothing to hand over, the last few times that this was asked: see WaitForRecords().
  bool Rest();
  // Waits, so many milliseconds at most, for threads that are in the middle of a record, and hands over everything.
  bool WriteDownAll(Recorder& recorder, uint32_t session, int64_t patience_ms);

 private:
  static constexpr int kSlotBits = 22;
  static constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;
  static constexpr uint64_t kNobody = 0;

  // A part of a queue that is being written down.
  struct Part {
    RecordQueue* queue;
    uint32_t next;
    uint32_t end;
    uint32_t turn;  // of the record at `next`
  };

  // Makes every thread pass a fence, this one included.
  void FenceAll();
  [[gnu::hot]] uint64_t TakeTurn(RecordQueue& queue, uint64_t now);
  bool WriteDown(Recorder& recorder, uint32_t session, bool all);
  static bool Older(const Part& a, const Part& b) { return static_cast<int32_t>(a.turn - b.turn) > 0; }
  // The last turn of which all records are in the queues.
  uint64_t LastComplete(uint32_t session, bool all);
  bool Write(Recorder& recorder, Part& part);

  // The number of the turn above the slot of the queue whose turn it is.
  alignas(64) std::atomic<uint64_t> turn_{0};
  std::atomic<bool> fences_at_need_{false};
  alignas(64) std::atomic<int> fence_{0};
  std::atomic<int> resting_{0};
  Traffic traffic_;
  bool wrote_ = false;  // since Rest() was called last
  int idle_calls_ = 0;
  // A turn up to which all was written down, while nobody was in the middle of a record.
  uint64_t settled_ = 0;
  std::vector<RecordQueue*> queues_;  // by slot - 1
  std::vector<RecordQueue*> unused_;
  std::vector<Part> parts_;  // room for all queues
};

}  // namespace heapray
