#include "node/sampled_heap.h"

#include <link.h>
#include <v8-profiler.h>

#include <iterator>
#include <vector>

#include "hooks/block_notes.h"
#include "tracker.h"

namespace heapray {
namespace {

// V8's own stacks, which it would keep per function, are not needed.
constexpr int kNoStack = 0;
// Observer's table: two destructors, Step, GetNextStepSize.
constexpr size_t kStepIndex = 2;
// Of strings, which are as many bytes plus a small header; the last is a large object.
constexpr size_t kProbeBytes[] = {977, 3001, 20011, 400009};
constexpr size_t kMostHeaderBytes = 64;
const uint8_t kProbeText[400009] = {};

// The loaded object that V8 is part of.
struct Library {
  struct Segment {
    uint64_t begin;
    uint64_t end;
    bool executable;
  };
  std::vector<Segment> segments;

  static const Library& OfV8() {
    static const auto* found = new Library(Find());
    return *found;
  }
  const Segment* SegmentOf(uint64_t address, size_t bytes) const {
    for (const Segment& segment : segments) {
      if (address >= segment.begin && address + bytes <= segment.end) return &segment;
    }
    return nullptr;
  }

 private:
  static Library Find() {
    Library library;
    auto visit = [](dl_phdr_info* info, size_t, void* result) {
      auto v8 = reinterpret_cast<uint64_t>(&v8::Isolate::TryGetCurrent);
      Library object;
      for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) & header = info->dlpi_phdr[i];
        if (header.p_type != PT_LOAD) continue;
        uint64_t begin = info->dlpi_addr + header.p_vaddr;
        object.segments.push_back({begin, begin + header.p_memsz, (header.p_flags & PF_X) != 0});
      }
      if (object.SegmentOf(v8, 1) == nullptr) return 0;
      *static_cast<Library*>(result) = std::move(object);
      return 1;
    };
    dl_iterate_phdr(visit, &library);
    return library;
  }
};

// Whether `address` is that of a table of `count` of V8's functions.
bool IsFunctionTable(uint64_t address, size_t count) {
  const Library& library = Library::OfV8();
  const Library::Segment* data = library.SegmentOf(address, count * sizeof(uint64_t));
  if (data == nullptr || (address & 7) != 0) return false;
  for (size_t i = 0; i < count; i++) {
    const Library::Segment* code = library.SegmentOf(reinterpret_cast<const uint64_t*>(address)[i], 1);
    if (code == nullptr || !code->executable) return false;
  }
  return true;
}

bool Contains(const void* block, size_t bytes, uint64_t word) {
  auto* words = static_cast<const uint64_t*>(block);
  for (size_t i = 0; i < bytes / sizeof word; i++) {
    if (words[i] == word) return true;
  }
  return false;
}

}  // namespace

uint64_t SampledHeap::Step(void* observer, int bytes, uint64_t object, size_t size) {
  const uint64_t functions = *static_cast<const uint64_t*>(observer);
  SampledHeap& heap = *reinterpret_cast<Table*>(functions - offsetof(Table, functions))->heap;
  // What the profiler allocates for itself is not the program's.
  Untracked untracked;
  if (!untracked.entered() || !Tracker::Get().active()) return heap.step_(observer, bytes, object, size);
  BlockNotes notes;
  uint64_t result = heap.step_(observer, bytes, object, size);
  for (const BlockNotes::Block& block : notes) {
    // A sample begins with the object's size and names its profiler.
    if (block.freed || block.size < 2 * sizeof(uint64_t) || *static_cast<const uint64_t*>(block.address) != size ||
        !Contains(block.address, block.size, reinterpret_cast<uint64_t>(heap.profiler_))) {
      continue;
    }
    heap.listener_->OnSample(heap, block.address, size);
    break;
  }
  return result;
}

bool SampledHeap::Adopt(void* block, size_t bytes) {
  // The profiler knows its isolate and its interval, and holds the only object with functions of its own.
  if (!Contains(block, bytes, reinterpret_cast<uint64_t>(isolate_)) || !Contains(block, bytes, interval_)) return false;
  auto* words = static_cast<uint64_t*>(block);
  uint64_t* observer = nullptr;
  for (size_t i = 0; i < bytes / sizeof *words; i++) {
    if (!IsFunctionTable(words[i], kTableWords)) continue;
    if (observer != nullptr) return false;
    observer = &words[i];
  }
  if (observer == nullptr) return false;
  auto* functions = reinterpret_cast<const uint64_t*>(*observer);
  profiler_ = block;
  step_ = reinterpret_cast<StepFunction>(functions[kStepIndex]);
  table_ = {this, functions[-2], functions[-1], {functions[0], functions[1], 0, functions[3]}};
  table_.functions[kStepIndex] = reinterpret_cast<uint64_t>(&Step);
  *observer = reinterpret_cast<uint64_t>(table_.functions);
  return true;
}

std::unique_ptr<SampledHeap> SampledHeap::Start(v8::Isolate* isolate, uint64_t interval, Listener* listener,
                                                std::string* why) {
  Untracked untracked;
  v8::HandleScope handles(isolate);
  std::unique_ptr<SampledHeap> heap(new SampledHeap(isolate, interval, listener));
  BlockNotes notes;
  if (!isolate->GetHeapProfiler()->StartSamplingHeapProfiler(interval, kNoStack)) {
    heap->isolate_ = nullptr;
    *why = "the program uses V8's sampling heap profiler itself";
    return nullptr;
  }
  for (const BlockNotes::Block& block : notes) {
    if (!block.freed && heap->Adopt(block.address, block.size)) return heap;
  }
  *why = "V8's sampling heap profiler is not built as expected";
  return nullptr;
}

SampledHeap::~SampledHeap() {
  if (isolate_ == nullptr) return;
  v8::HandleScope handles(isolate_);
  isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
}

std::string SampledHeap::Prove(v8::Isolate* isolate) {
  struct Found final : Listener {
    void OnSample(SampledHeap&, void* found, size_t object_bytes) override {
      if (object_bytes < looked_for || object_bytes > looked_for + kMostHeaderBytes) return;
      sample = found;
      count++;
    }
    size_t looked_for = 0;
    void* sample = nullptr;
    int count = 0;
  } found;

  std::string why;
  std::unique_ptr<SampledHeap> heap = Start(isolate, 1, &found, &why);
  if (heap == nullptr) return why;
  v8::HandleScope handles(isolate);
  void* samples[std::size(kProbeBytes)];
  for (size_t i = 0; i < std::size(kProbeBytes); i++) {
    found.looked_for = kProbeBytes[i];
    found.count = 0;
    (void)v8::String::NewFromOneByte(isolate, kProbeText, v8::NewStringType::kNormal, static_cast<int>(kProbeBytes[i]))
        .IsEmpty();
    if (found.count != 1) return "an object of known size was not seen";
    samples[i] = found.sample;
  }
  Untracked untracked;
  BlockNotes notes;
  for (void* sample : samples) notes.Allocated(sample, 0);
  heap.reset();
  // (Sampling's end allocates as well.)
  for (size_t i = 0; i < std::size(samples); i++) {
    if (!notes.begin()[i].freed) return "the deaths of objects are not seen";
  }
  return "";
}

}  // namespace heapray
