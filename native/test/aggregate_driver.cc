// Drives the agent's aggregation from standard input and writes an aggregated capture:
//   aggregate_driver <path> <threads> <stacks> <locations before the first sweep>
// The capture has threads 1..n (kernel ids 1001..) and stack nodes 1..n, each a frame of the root. One call a line:
//   a <thread> <node> <allocator> <address> <size>   f <address>   u <address> <size>   s
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "aggregate/aggregating_recorder.h"
#include "record/file_sinks.h"
#include "test/records.h"

namespace heapray {
namespace {

void Define(RecordWriter& writer, uint32_t threads, uint32_t stacks) {
  writer.String("/app/main.js");
  writer.Script(1, 0);
  for (uint32_t i = 1; i <= threads; i++) {
    writer.String("thread " + std::to_string(i));
    writer.Thread(i, 1000 + i, i + 1);
  }
  for (uint32_t i = 1; i <= stacks; i++) {
    writer.String("f" + std::to_string(i));
    writer.Function(threads + 1 + i, 1, 1, 1);
    Location location = {i, i, 1};
    writer.Frame(&location, 1);
    writer.Node(i, 0, i);
  }
}

int Main(char** argv) {
  MappedFileSink sink(OpenCaptureFile(argv[1], true));
  RecordWriter writer(&sink);
  std::unique_ptr<Recorder> recorder = std::make_unique<AggregatingRecorder>(&writer, strtoul(argv[4], nullptr, 10));
  writer.Header(R"({"pid":1,"options":{"fileFormat":"AGGREGATED_ALLOCATIONS"}})");
  Define(writer, strtoul(argv[2], nullptr, 10), strtoul(argv[3], nullptr, 10));

  char call;
  unsigned long long address;
  unsigned long long size;
  unsigned allocator;
  ThreadEncoding thread;
  while (scanf(" %c", &call) == 1) {
    if (call == 'a') {
      unsigned node;
      if (scanf("%u %u %u %llu %llu", &thread.index, &node, &allocator, &address, &size) != 5) return 1;
      Allocation(*recorder, thread, static_cast<wire::Allocator>(allocator), address, size, node);
    } else if (call == 'f') {
      if (scanf("%llu", &address) != 1) return 1;
      Free(*recorder, thread, address);
    } else if (call == 'u') {
      if (scanf("%llu %llu", &address, &size) != 2) return 1;
      Munmap(*recorder, thread, address, size);
    } else if (call == 's') {
      recorder->Snapshot({});
    } else {
      return 1;
    }
  }
  bool complete = recorder->Complete(R"({"endTimeMs":1,"reason":"stop"})");
  return sink.Close() && complete ? 0 : 1;
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: aggregate_driver <path> <threads> <stacks> <locations before the first sweep>\n");
    return 2;
  }
  return heapray::Main(argv);
}
