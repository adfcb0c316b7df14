// The numbered form of a capture in a file: the same records, in which blocks have numbers in place of their addresses,
// which compress far better (docs/capture-format.md, version 3). Made in pieces, front to back, in memory that grows
// with the live blocks only. src/capture/numbered-form.ts makes the same bytes; a test holds the two together.
#pragma once

#include <cstddef>
#include <cstdint>

#include "record/block_numbers.h"

namespace heapray {

class NumberedForm {
 public:
  enum class State { kMore, kEnd, kDamaged, kNoMemory, kUnreadable };

  // Bytes that a piece is written beyond the room it is given, at most.
  static constexpr size_t kSlack = 16384;

  // `file` stays the caller's. The form may be asked for where the capture's version is one before this one's, and its
  // format that of single allocations: Begin() looks at the version only.
  explicit NumberedForm(int file) : file_(file) {}
  ~NumberedForm();
  NumberedForm(const NumberedForm&) = delete;
  NumberedForm& operator=(const NumberedForm&) = delete;

  // Reads the header. Returns whether there is a form.
  bool Begin();

  // Writes the form's next bytes, `room` or a few more. Returns how many; state() tells of none.
  size_t Next(uint8_t* out, size_t room);

  // errno tells more of kUnreadable.
  State state() const { return state_; }
  // Bytes of the capture that were read until now.
  uint64_t taken() const { return taken_; }

 private:
  struct Thread {
    uint64_t address = 0;  // the capture's last
    uint64_t freed = 0;    // the number of the block freed last
    uint64_t range = 0;    // the form's last address
  };

  bool Fill();
  uint64_t Varint();
  uint64_t LongVarint(uint64_t value);
  uint8_t* Copy(uint8_t* to, const uint8_t* end);
  uint8_t* RewriteBlocks(uint8_t* to, const uint8_t* end);
  uint8_t* Rewrite(uint8_t* to);
  uint8_t* RewriteAllocation(uint8_t* to, uint8_t tag);
  uint8_t* RewriteOther(uint8_t* to, uint8_t tag);
  uint8_t* PutThread(uint8_t* to);
  uint8_t* PutFree(uint8_t* to, uint64_t number);
  bool AddThread();
  uint8_t* End(uint8_t* to, State state) {
    state_ = state;
    return to;
  }

  int file_;
  State state_ = State::kMore;
  // The part of the file that is in memory: zeros follow its end, so that a record that is cut short reads as something
  // harmless that passes the end.
  uint8_t* window_ = nullptr;
  const uint8_t* position_ = nullptr;
  const uint8_t* end_ = nullptr;
  const uint8_t* record_ = nullptr;
  bool at_end_ = false;
  uint64_t taken_ = 0;
  bool long_number_ = false;

  BlockNumbers numbers_;
  uint64_t block_ = 0;
  Thread* threads_ = nullptr;
  uint64_t thread_count_ = 0;
  uint64_t thread_ = 0;
  uint64_t written_ = 0;  // the thread of the records written last: a SWITCH is written where a record follows it
  uint64_t copying_ = 0;  // bytes that are to be copied before the next record
  bool last_ = false;     // what is being copied is the last there is
};

}  // namespace heapray
