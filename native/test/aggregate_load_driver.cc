// Measures the agent's aggregation on made-up programs, without hooks and stacks:
//   aggregate_load_driver loop|tree <records> single|batch
// `loop`: few stacks, blocks that die young, up to 50,000 live ones that are collected together. `tree`: a million live
// blocks of 200,000 stacks, any of which may die next. Prints nanoseconds a record, and the bytes of memory that the
// aggregation took. Run it under callgrind with --toggle-collect=heapray::Feed to count instructions.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

#include "aggregate/aggregating_recorder.h"
#include "record/pending_record.h"
#include "test/no_sink.h"

namespace heapray {

// A program that allocates; its addresses are a real heap's.
class Program {
 public:
  Program(bool loop, size_t records) : loop_(loop) { chunk_.reserve(records); }

  // Makes the next so many records, or a few more.
  const std::vector<PendingRecord>& Next(size_t count) {
    chunk_.clear();
    while (chunk_.size() < count) loop_ ? Iterate() : Replace();
    return chunk_;
  }

 private:
  void Iterate() {
    static constexpr size_t kSizes[] = {8, 64, 104, 200};
    void* young = nullptr;
    for (size_t i = 0; i < 4; i++) {
      wire::Allocator allocator = i == 3 ? wire::Allocator::kCalloc : wire::Allocator::kMalloc;
      void* block = Allocate(allocator, kSizes[i], 7 + i / 3);
      if (i == 1) {
        young = block;
      } else {
        live_.push_back(block);
      }
    }
    Free(young);
    if (live_.size() < 50'000) return;
    for (size_t i = 0; i < 40'000; i++) Free(live_[i]);
    live_.erase(live_.begin(), live_.begin() + 40'000);
  }
  void Replace() {
    if (live_.size() >= 1'000'000) {
      size_t i = random_() % live_.size();
      Free(live_[i]);
      live_[i] = live_.back();
      live_.pop_back();
    }
    // Deeper stacks are rarer.
    auto node = static_cast<uint32_t>(random_() % (1 + random_() % 200'000));
    live_.push_back(Allocate(wire::Allocator::kMalloc, 8 + random_() % 200, 1 + node));
  }
  void* Allocate(wire::Allocator allocator, size_t size, size_t node) {
    void* block = malloc(size);
    chunk_.push_back(
        PendingRecord::Of(allocator, reinterpret_cast<uint64_t>(block), size, static_cast<uint32_t>(node), 0));
    return block;
  }
  void Free(void* block) {
    chunk_.push_back(PendingRecord::Of(wire::Allocator::kFree, reinterpret_cast<uint64_t>(block), 0, 0, 0));
    free(block);
  }

  bool loop_;
  std::minstd_rand random_;
  std::vector<void*> live_;
  std::vector<PendingRecord> chunk_;
};

__attribute__((noinline)) void Feed(AggregatingRecorder& aggregator, ThreadEncoding& thread,
                                    const std::vector<PendingRecord>& records, bool batch) {
  if (batch) {
    aggregator.Records(thread, records.data(), records.size());
    return;
  }
  for (const PendingRecord& record : records) aggregator.Records(thread, &record, 1);
}

size_t Resident() {
  FILE* file = fopen("/proc/self/statm", "r");
  size_t total = 0;
  size_t resident = 0;
  if (file == nullptr || fscanf(file, "%zu %zu", &total, &resident) != 2) abort();
  fclose(file);
  return resident * 4096;
}

uint64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

int Main(char** argv) {
  bool loop = strcmp(argv[1], "loop") == 0;
  size_t records = strtoull(argv[2], nullptr, 10);
  bool batch = strcmp(argv[3], "batch") == 0;
  constexpr size_t kChunk = 1 << 11;
  Program program(loop, 2 * kChunk + 50'000);
  NoSink sink;
  RecordWriter writer(&sink);
  AggregatingRecorder aggregator(&writer);
  ThreadEncoding thread;
  thread.index = 1;
  size_t made = 0;
  uint64_t spent = 0;
  uint64_t slowest = 0;
  size_t memory = 0;
  while (made < records) {
    const std::vector<PendingRecord>& chunk = program.Next(kChunk);
    size_t before = Resident();
    uint64_t start = NowNs();
    Feed(aggregator, thread, chunk, batch);
    uint64_t took = NowNs() - start;
    memory += Resident() - before;
    slowest = took > slowest ? took : slowest;
    spent += took;
    made += chunk.size();
  }
  printf("%.2f ns a record, at most %.0f us for some %zu records, %zu bytes\n",
         static_cast<double>(spent) / static_cast<double>(made), static_cast<double>(slowest) / 1000, kChunk, memory);
  return aggregator.Complete("{}") ? 0 : 1;
}

}  // namespace heapray

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: aggregate_load_driver loop|tree <records> single|batch\n");
    return 2;
  }
  return heapray::Main(argv);
}
