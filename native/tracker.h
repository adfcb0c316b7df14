// Ties hooks to stacks to records. Knows no runtime: frames come from a StackSource.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hooks/address_space.h"
#include "process/lock.h"
#include "process/process_number.h"
#include "process/untracked.h"
#include "record/record_order.h"
#include "record/record_writer.h"
#include "record/sink.h"
#include "stacks/stack_source.h"
#include "stacks/stack_tree.h"
#include "thread_names.h"
#include "thread_state.h"

namespace heapray {

// What only the tracked runtime can tell of a moment: callable inside any hook.
class Runtime {
 public:
  virtual ~Runtime() = default;
  // Whether memory that is being mapped is the runtime's garbage-collected heap. `frame` is the frame address of the
  // hook that the mapping call came to.
  virtual bool IsHeapPages(uint64_t frame, size_t bytes) = 0;
  // What the calling thread is for, when it carries no name of its own; a literal, empty when unknown.
  virtual const char* ThreadRole() = 0;
  // What a thread is for that begins at this function.
  virtual const char* RoleOf(uint64_t routine) = 0;
};

class Tracker {
 public:
  struct Options {
    std::unique_ptr<Sink> sink;
    std::string destination;     // for messages
    std::string metadata_json;   // the capture's header
    bool aggregate = false;      // adds allocations up instead of writing down each one
    bool js_objects = false;     // objects of the runtime's heap are recorded, its pages are not
    bool embed_symbols = false;  // writes native frames' names into the capture when it ends
    StackSource* stacks;
    Runtime* runtime;
    std::string inherited_thread_name;  // the main thread's name as the program found it
  };

  // The process's one tracker: starts, stops, starts again. Never destroyed, since other threads may be inside it.
  static Tracker& Get() { return *reinterpret_cast<Tracker*>(room_); }

  // Has records cost less, from some time soon on: in the background, since the kernel takes milliseconds over it.
  void PrepareFences();
  // Begins to record. Returns false, with errno in *error, when the header could not be written.
  bool Start(Options options, int* error);
  // Ends the capture. `reason` goes into its trailer. Does nothing when not active, or in a forked child.
  // Returns false when the capture could not be completed.
  bool Stop(const char* reason);
  // Completes the capture of a process that is ending, whatever its threads are doing: without allocating, and not at
  // all when they keep it from that. `signal` is the number of the one that ends it, or 0.
  void EndNow(const char* reason, int signal);
  // For a signal handler: returns false when the thread that it interrupted is in the way of EndNow(). One that
  // `crashed` never goes on, so it lets go of what it can.
  bool LetGo(bool crashed);

  // In a forked child: lets go of what the parent's capture needs, in whatever state that is, without touching it.
  void Forget();

  // The runtime's objects cannot be recorded after all: its heap's pages are, from now on.
  void RecordHeapPages();

  bool active() const { return active_.load(std::memory_order_acquire) != 0; }
  bool ended_by_error() const { return failed_.load(std::memory_order_acquire); }

  // The hooks' entry points, to be called inside an Untracked scope. The program's errno stays what it is.
  // They return the block.
  [[gnu::hot]] void* OnAllocation(wire::Allocator allocator, void* block, size_t size);
  [[gnu::hot]] void* OnFree(void* block);
  // What most of these come to: the thread has not moved since its last walk, and goes on in its own turn. Returns
  // whether it was so, and is recorded; else nothing is. Makes no call.
  [[gnu::always_inline]] bool AllocationAtOnce(wire::Allocator allocator, void* block, size_t size) {
    ThreadState* thread = CurrentThreadIfKnown();
    if (thread == nullptr || !Knows(*thread) || size >= kLargeBytes) [[unlikely]]
      return false;
    const StackWalk& walk = thread->stack.walk();
    return walk.IsStillAndWhole() &&
           RecordAtOnce(*thread, allocator, reinterpret_cast<uint64_t>(block), size, walk.known_node());
  }
  [[gnu::always_inline]] bool FreeAtOnce(void* block) {
    ThreadState* thread = CurrentThreadIfKnown();
    if (thread == nullptr || !Knows(*thread)) [[unlikely]]
      return false;
    return RecordAtOnce(*thread, wire::Allocator::kFree, reinterpret_cast<uint64_t>(block), 0, 0);
  }
  // Runs `reallocate`, a realloc of `old_block`. The old block's free is recorded as older than whatever gets its
  // address, and only if it happened.
  void* OnRealloc(wire::Allocator allocator, void* old_block, size_t size, void* (*reallocate)(void*, size_t));
  void OnThreadName();
  // Has the thread with this kernel id, now or when it is first met, called so; until it ends.
  void NameThread(uint32_t thread_id, std::string name);

  // The calling thread's stack as a context for work that goes on elsewhere; `what` tells readers what that is.
  WorkContext ContextHere(std::string_view what);
  // The context that the calling thread works in, and to set it. Anything the thread has under its own name stays.
  WorkContext context();
  void SetContext(WorkContext context);
  // What a thread is for that begins at `routine`, and to say so of the calling thread; literals.
  const char* RoleOf(uint64_t routine) { return runtime_.load(std::memory_order_acquire)->RoleOf(routine); }
  void SetThreadRole(const char* role);
  void OnSnapshot(const MemoryFigures& figures);

  // Writes down what threads have to say, before a call that ends the process or its program: also in a signal handler.
  void BeforeEnd();
  // Writes down what threads have to say, and tells what was found since the last time. Returns false when they have
  // nothing: then WaitForRecords() waits until one has, or until EndWait().
  bool WriteDownPending(RecordOrder::Traffic* traffic);
  void WaitForRecords() { order_.WaitForRecords(); }
  void EndWait() { order_.EndRest(); }

  // Runs a mapping call and its bookkeeping while no other does, so that ranges change in the order they are recorded
  // in. `frame` is the hook's frame address.
  template <typename Call>
  auto WithAddressSpace(uint64_t frame, Call call) {
    SpinLock::Guard guard(space_lock_);
    return call(address_space_, [this, frame](const AddressSpace::Change& c) { RecordMapping(c, frame); });
  }

 private:
  Tracker();
  ~Tracker() = delete;

  // Blocks of this size are written down at once: they may be what the process is killed for.
  static constexpr size_t kLargeBytes = 1u << 20;

  static char room_[];
  static Tracker* const made_;

  void OnThreadEnd(ThreadState& thread);
  void RecordMapping(const AddressSpace::Change& change, uint64_t frame);
  // Whether nothing of the thread's has to be told before a record of it.
  bool Knows(const ThreadState& thread) const { return thread.told_in == session_.load(std::memory_order_relaxed); }
  // Records what needs no lock and no other turn. Returns whether it was that.
  [[gnu::always_inline]] bool RecordAtOnce(ThreadState& thread, wire::Allocator kind, uint64_t address, uint64_t size,
                                           uint32_t node) {
    if (!thread.queue->IsKnownToHaveRoom()) [[unlikely]]
      return false;
    RecordOrder::Making making(order_, *thread.queue);
    uint32_t turn;
    if (!making.IsOwnTurn(&turn)) [[unlikely]]
      return false;
    making.Add(PendingRecord::Of(kind, address, size, node, turn));
    return true;
  }
  // Makes the thread known. Returns false when nothing can be recorded of it. With the lock held.
  [[gnu::cold]] bool Introduce(ThreadState& thread);
  void DeclareThread(ThreadState& thread);
  // The node that the stacks of a thread hang under which works in that context.
  uint32_t BaseOf(WorkContext context) const;
  // Walks the thread's stack.
  void Walk(ThreadState& thread);
  // That node. Returns false when nothing can be recorded.
  bool Enter(ThreadState& thread, uint32_t* node);
  [[gnu::cold]] bool EnterNew(ThreadState& thread, uint32_t* node);
  bool EnterLocked(ThreadState& thread, uint32_t* node);
  // Whether the thread's queue has room for so many records, after writing some down if need be.
  bool HasRoom(ThreadState& thread, uint32_t count);
  [[gnu::cold]] bool MakeRoom(ThreadState& thread, uint32_t count);
  [[gnu::cold]] void OnFirstFree(void* block);
  // Of a free or an unmapping, which need no stack.
  void RecordEnd(ThreadState& thread, wire::Allocator kind, uint64_t address, uint64_t size);
  [[gnu::hot, gnu::noinline]] void Record(ThreadState& thread, wire::Allocator kind, uint64_t address, uint64_t size,
                                          uint32_t node);
  // Writes down what threads have to say. With the lock held.
  void WriteDown();
  [[gnu::cold]] void WriteDownNow();
  // Writes what a complete capture ends with.
  bool WriteEnd(const char* reason, int signal);
  bool Close(Sink& sink, bool written);
  void Fail();
  void TellOfFailure(const char* consequence, const char* reason);

  ProcessNumber active_;  // the session that is being recorded; 0: none
  std::atomic<bool> failed_{false};
  std::atomic<int> closing_{0};  // 1: the sink is, by Stop()
  std::atomic<uint32_t> session_{0};
  int owner_pid_ = 0;
  // The options', for hooks that do not hold the lock: one may still be on its way when the next session starts.
  std::atomic<StackSource*> stacks_{nullptr};
  std::atomic<Runtime*> runtime_{nullptr};
  // Threads' records, on their way to the recorder.
  RecordOrder order_;
  // Of the address space; whoever wants both takes this one first.
  SpinLock space_lock_;
  // Of the capture: the recorder, the stack tree, the threads.
  SpinLock lock_;
  Options options_;
  std::unique_ptr<RecordWriter> writer_;
  std::unique_ptr<Recorder> aggregator_;  // of an aggregated capture
  Recorder* recorder_ = nullptr;          // the aggregator, or the writer itself
  std::unique_ptr<StackTree> tree_;
  AddressSpace address_space_;
  uint32_t threads_ = 0;
  ThreadNames names_;
};

}  // namespace heapray
