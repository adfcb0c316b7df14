// Writes a capture with every kind of record of its format, through the agent's own recorder, sink and stack tree:
//   golden_capture <path> mapped|buffered all|aggregated
// test/native/golden-capture.test.ts reads it, and compares its bytes with those beside it.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "aggregate/aggregating_recorder.h"
#include "record/file_sinks.h"
#include "record/record_writer.h"
#include "stacks/stack_tree.h"
#include "test/records.h"

namespace heapray {
namespace {

struct Described {
  const char* function;
  int script;
  uint32_t line, column, function_line, function_column;
};

// Keys are indices into a table of frames; a frame may stand for several functions.
class FakeSource final : public StackSource {
 public:
  void Walk(StackWalk&) override {}
  void Describe(const RawFrame& frame, FrameSink& sink) override {
    for (const Described& d : frames_[frame.key - 1]) {
      SourceFunction function{d.function, d.function_line, d.function_column, 0};
      sink.Add(function, scripts_[d.script], d.line, d.column);
    }
  }

 private:
  SourceScript scripts_[2] = {{"/app/main.ts", "main.js.map", 0}, {"node:buffer", "", 0}};
  std::vector<std::vector<Described>> frames_ = {
      {{"<module>", 0, 1, 1, 1, 1}},
      {{"inner", 1, 30, 7, 28, 3}, {"outer", 0, 12, 5, 10, 1}},
      {{"naïve 😀", 0, 300, 80, 299, 70000}},
  };
};

uint32_t Resolve(StackTree& tree, ThreadStack& stack, std::vector<uint64_t> innermost_first, uint64_t epoch) {
  std::vector<RawFrame> frames;
  for (uint64_t key : innermost_first) frames.push_back({key, 8, 0});
  stack.walk().Set(0, frames.data(), frames.size(), epoch);
  stack.Find();
  return tree.Resolve(stack);
}

// The tree has made frames 1 to 3 and nodes 1 to 3 when these follow.
constexpr uint32_t kNativeNode = 6;

void WriteNativeFrames(RecordWriter& writer, StackTree& tree, uint32_t outer) {
  uint8_t build_id[20];
  for (uint8_t i = 0; i < sizeof build_id; i++) build_id[i] = static_cast<uint8_t>(0xf0 + i);
  writer.Module(tree.String("/app/libfoo.so.1"), 0x7f8000000000, build_id, sizeof build_id);
  writer.Module(tree.String("/app/addon.node"), 0, nullptr, 0);
  writer.NativeFrame(2, 0x1234);
  writer.NativeFrame(1, 0x98765);
  writer.NativeFrame(0, 0x7f9000000123);
  writer.Node(4, outer, 4);
  writer.Node(5, 4, 6);
  writer.Node(kNativeNode, 5, 5);
  writer.Symbol(5, tree.String("_ZN3foo3barEi"));
}

int Main(const char* path, bool buffered, bool aggregated) {
  std::unique_ptr<Sink> sink;
  OwnedFd fd = OpenCaptureFile(path, true);
  if (buffered) {
    sink = std::make_unique<BufferedFileSink>(std::move(fd));
  } else {
    sink = std::make_unique<MappedFileSink>(std::move(fd));
  }
  RecordWriter writer(sink.get());
  AggregatingRecorder aggregator(&writer);
  Recorder& recorder = aggregated ? static_cast<Recorder&>(aggregator) : writer;
  FakeSource source;
  StackTree tree(&writer, &source);
  ThreadStack stack;
  ThreadEncoding main_thread;
  ThreadEncoding pool_thread;

  std::string format = aggregated ? "AGGREGATED_ALLOCATIONS" : "ALL_ALLOCATIONS";
  writer.Header(R"({"pid":42,"mainThreadId":42,"commandLine":["node","main.ts"],"cwd":"/app",)"
                R"("runtime":{"name":"node","version":"v0.0.0","engine":"v8 0"},"arch":"x64","platform":"linux",)"
                R"("startTimeMs":1000,"heaprayVersion":"0","options":{"fileFormat":")" +
                format + R"("}})");
  recorder.Snapshot({0, 1 << 20, 2000, 4000, 100, {}});
  main_thread.index = 1;
  writer.Thread(1, 42, tree.String("MainThread"));
  uint32_t one = Resolve(tree, stack, {1}, 1);
  uint32_t two = Resolve(tree, stack, {2, 1}, 1);
  Allocation(recorder, main_thread, wire::Allocator::kMalloc, 0x7f0000001000, 100, one);
  Allocation(recorder, main_thread, wire::Allocator::kCalloc, 0x7f0000001040, 100, two);
  Allocation(recorder, main_thread, wire::Allocator::kMalloc, 0x7f0000001080, 100, two);
  Free(recorder, main_thread, 0x7f0000001080);
  Allocation(recorder, main_thread, wire::Allocator::kMalloc, 0x7f0000001080, 100, two);
  pool_thread.index = 2;
  writer.Thread(2, 43, tree.String("libuv-worker"));
  Allocation(recorder, pool_thread, wire::Allocator::kPosixMemalign, 0x5550, 4096, 0);
  Allocation(recorder, pool_thread, wire::Allocator::kAlignedAlloc, 0x5551, 1, 0);
  uint32_t three = Resolve(tree, stack, {3, 2, 1}, 2);
  Free(recorder, main_thread, 0x7f0000001040);
  Allocation(recorder, main_thread, wire::Allocator::kRealloc, 0x7f0000002000, 5'000'000'000, three);
  Allocation(recorder, main_thread, wire::Allocator::kMmap, 0x7f1000000000, 65536, three);
  Munmap(recorder, main_thread, 0x7f1000004000, 16384);
  Allocation(recorder, main_thread, wire::Allocator::kHeapPages, 0x100000, 262144, one);
  Munmap(recorder, main_thread, 0x100000, 262144);
  WriteNativeFrames(writer, tree, one);
  Allocation(recorder, main_thread, wire::Allocator::kMalloc, 0x7f0000003000, 300, kNativeNode);
  Allocation(recorder, main_thread, wire::Allocator::kJsObject, 0x8001, 16391, one);
  Allocation(recorder, main_thread, wire::Allocator::kJsObject, 0x8002, 24, kNativeNode);
  Free(recorder, main_thread, 0x8002);
  writer.Thread(2, 43, tree.String("renamed"));
  Free(recorder, pool_thread, 0xdead0);
  recorder.Snapshot(
      {12, 1 << 21, 2000, 4000, 100, {2100000, 1000000, 200000, 6000, 30000, 4000, 800000, 60000, 700000, 50000}});
  recorder.Complete(R"({"endTimeMs":1013,"reason":"stop"})");
  return sink->Close() ? 0 : 1;
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: golden_capture <path> mapped|buffered all|aggregated\n");
    return 2;
  }
  return heapray::Main(argv[1], std::string(argv[2]) == "buffered", std::string(argv[3]) == "aggregated");
}
