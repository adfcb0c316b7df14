// A thread's records until somebody writes them down: a ring that its thread fills without a lock, and that whoever
// holds the tracker's lock empties.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "record/pending_record.h"
#include "record/recorder.h"

namespace heapray {

class RecordQueue {
 public:
  static constexpr size_t kCapacity = 2048;

  // Its thread's side.

  // Whether there is room for so many records.
  bool HasRoom(uint32_t count) {
    uint32_t head = head_.load(std::memory_order_relaxed);
    if (room_end_ - head >= count) [[likely]]
      return true;
    room_end_ = tail_.load(std::memory_order_acquire) + kCapacity;
    return room_end_ - head >= count;
  }
  // Whether there is room for one, without looking anew at what was written down.
  bool IsKnownToHaveRoom() const { return head_.load(std::memory_order_relaxed) != room_end_; }
  void Add(const PendingRecord& record) {
    uint32_t head = head_.load(std::memory_order_relaxed);
    PendingRecord* place = &records_[head % kCapacity];
    *place = record;
    // Whoever wrote it down last may have it in another core's cache.
    __builtin_prefetch(place + kAhead, 1);
    head_.store(head + 1, std::memory_order_release);
  }

  // Under the tracker's lock.

  bool empty() const { return tail_.load(std::memory_order_relaxed) == head_.load(std::memory_order_acquire); }

 private:
  friend class RecordOrder;
  static constexpr uint32_t kAhead = 16;

  alignas(64) std::atomic<uint32_t> head_{0};
  // Between taking a turn and the record's being in the ring. Whoever is about to write records down must know of it.
  std::atomic<bool> busy_{false};
  // Its last turn, or an earlier one that the record being made cannot be older than.
  std::atomic<uint64_t> turn_{0};
  uint64_t own_turn_ = UINT64_MAX;  // the word of the turn that its thread took last
  uint32_t room_end_ = kCapacity;   // where the queue was last known to be full
  uint32_t slot_ = 0;

  alignas(64) std::atomic<uint32_t> tail_{0};
  uint32_t session_ = 0;
  ThreadEncoding encoding_;

  alignas(64) PendingRecord records_[kCapacity];
};

}  // namespace heapray
