// Writes a capture of native frames with the names that their modules have for them (EmbedSymbols):
//   symbols_driver <capture> {<module> <build id in hexadecimal, or -> [<address>...] ,}
// test/native/native-symbols.test.ts reads it, and compares the names with those that the reader finds.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "record/file_sinks.h"
#include "record/record_writer.h"
#include "stacks/native_symbols.h"
#include "stacks/stack_tree.h"
#include "test/records.h"

namespace heapray {
namespace {

class NoSource final : public StackSource {
 public:
  void Walk(StackWalk&) override {}
  void Describe(const RawFrame&, FrameSink&) override {}
};

std::string FromHexadecimal(const char* text) {
  std::string bytes;
  for (; text[0] != 0 && text[1] != 0; text += 2) {
    char digits[3] = {text[0], text[1], 0};
    bytes.push_back(static_cast<char>(strtoul(digits, nullptr, 16)));
  }
  return bytes;
}

int Main(int argc, char** argv) {
  BufferedFileSink sink(OpenCaptureFile(argv[1], true));
  RecordWriter writer(&sink);
  NoSource source;
  StackTree tree(&writer, &source);
  ThreadEncoding thread;
  writer.Header(R"({"options":{"nativeTraces":true,"embedSymbols":true}})");
  thread.index = 1;
  writer.Thread(1, 1, tree.String("main"));
  std::vector<NativeModule> modules;
  std::vector<NativeFrameAddress> frames;
  for (int i = 2; i + 1 < argc; i++) {
    modules.push_back({argv[i], FromHexadecimal(argv[i + 1])});
    const std::string& id = modules.back().build_id;
    writer.Module(tree.String(argv[i]), 0, reinterpret_cast<const uint8_t*>(id.data()), id.size());
    auto module = static_cast<uint32_t>(modules.size());
    for (i += 2; i < argc && strcmp(argv[i], ",") != 0; i++) {
      auto frame = static_cast<uint32_t>(frames.size() + 1);
      frames.push_back({frame, module, strtoull(argv[i], nullptr, 10)});
      writer.NativeFrame(module, frames.back().address);
      writer.Node(frame, 0, frame);
      Allocation(writer, thread, wire::Allocator::kMalloc, 0x1000 * frame, 1, frame);
    }
  }
  if (!EmbedSymbols(writer, tree, modules, frames)) return 1;
  writer.Trailer(R"({"endTimeMs":1,"reason":"stop"})");
  return sink.Close() ? 0 : 1;
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: symbols_driver <capture> {<module> <build id> [<address>...] ,}\n");
    return 2;
  }
  return heapray::Main(argc, argv);
}
