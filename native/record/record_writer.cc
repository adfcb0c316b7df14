#include "record/record_writer.h"

#include <algorithm>
#include <array>

namespace heapray {
namespace {

// More than any extended record of varints alone holds.
constexpr size_t kMostVarints = 16;

uint8_t* PutLongVarint(uint8_t* p, uint64_t value) {
  while (value >= 0x80) {
    *p++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *p++ = static_cast<uint8_t>(value);
  return p;
}

// Nearly all numbers have one to three bytes.
inline uint8_t* PutVarint(uint8_t* p, uint64_t value) {
  if (value < 1u << 7) {
    *p = static_cast<uint8_t>(value);
    return p + 1;
  }
  auto low = static_cast<uint32_t>((value & 0x7F) | 0x80 | (value & 0x3F80) << 1);
  if (value < 1u << 14) {
    memcpy(p, &low, 2);
    return p + 2;
  }
  if (value >= 1u << 21) return PutLongVarint(p, value);
  low |= 0x8000;
  memcpy(p, &low, 2);
  p[2] = static_cast<uint8_t>(value >> 14);
  return p + 3;
}

inline uint64_t Zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

inline uint8_t* PutZigzag(uint8_t* p, int64_t value) { return PutVarint(p, Zigzag(value)); }

// Most blocks lie at multiples of 8, so the usual difference drops three bits.
inline uint8_t* PutAddress(uint8_t* p, uint64_t address, uint64_t last) {
  auto difference = static_cast<int64_t>(address - last);
  if ((difference & 7) == 0) [[likely]]
    return PutVarint(p, Zigzag(difference >> 3) << 1);
  return PutLongVarint(p, (Zigzag(difference) << 1) | 1);
}

uint8_t* PutU32(uint8_t* p, uint32_t value) {
  memcpy(p, &value, sizeof value);
  return p + sizeof value;
}

constexpr std::array<uint8_t, 256> kTags = [] {
  std::array<uint8_t, 256> tags;
  tags.fill(wire::kAlloc);
  auto set = [&](wire::Allocator kind, uint8_t tag) { tags[static_cast<size_t>(kind)] = tag; };
  set(wire::Allocator::kMalloc, wire::kMalloc);
  set(wire::Allocator::kFree, wire::kFree);
  set(wire::Allocator::kCalloc, wire::kCalloc);
  set(wire::Allocator::kRealloc, wire::kRealloc);
  set(wire::Allocator::kMmap, wire::kMmap);
  set(wire::Allocator::kMunmap, wire::kMunmap);
  set(wire::Allocator::kHeapPages, wire::kMmap | wire::kHeapPages);
  return tags;
}();

uint8_t TagOf(wire::Allocator kind) { return kTags[static_cast<size_t>(kind)]; }

}  // namespace

bool RecordWriter::Header(std::string_view metadata_json) {
  size_t size = sizeof wire::kMagic + 8 + metadata_json.size();
  uint8_t* p = sink_->Reserve(size);
  if (p == nullptr) return false;
  memcpy(p, wire::kMagic, sizeof wire::kMagic);
  uint8_t* q = PutU32(p + sizeof wire::kMagic, wire::kFormatVersion);
  q = PutU32(q, static_cast<uint32_t>(metadata_json.size()));
  memcpy(q, metadata_json.data(), metadata_json.size());
  sink_->Commit(size);
  return true;
}

bool RecordWriter::Switch(const ThreadEncoding& thread) {
  uint8_t* p = sink_->Reserve(kRoom);
  if (p == nullptr) return false;
  current_thread_ = thread.index;
  return Finish(p, wire::kSwitch, PutVarint(p + 1, thread.index));
}

[[gnu::always_inline]] inline uint8_t* RecordWriter::Put(uint8_t* p, ThreadEncoding& thread,
                                                         const PendingRecord& record) {
  uint8_t* q = p + 1;
  wire::Allocator kind = record.kind();
  uint8_t tag = TagOf(kind);
  if (tag == wire::kAlloc) [[unlikely]]
    *q++ = static_cast<uint8_t>(kind);
  if (tag != wire::kFree && tag != wire::kMunmap) {
    if (record.node == thread.last_node) {
      tag |= wire::kSameStack;
    } else {
      q = PutZigzag(q, static_cast<int64_t>(record.node) - static_cast<int64_t>(thread.last_node));
      thread.last_node = record.node;
    }
    if (record.size == thread.last_size) {
      tag |= wire::kSameSize;
    } else {
      q = PutVarint(q, record.size);
      thread.last_size = record.size;
    }
  }
  uint64_t address = record.address();
  if (address == thread.last_address) {
    tag |= wire::kSameAddress;
  } else {
    q = PutAddress(q, address, thread.last_address);
    thread.last_address = address;
  }
  if (kind == wire::Allocator::kMunmap) [[unlikely]]
    q = PutLongVarint(q, record.size);
  PutTag(p, tag);
  return q;
}

bool RecordWriter::Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) {
  if (thread.index != current_thread_ && !Switch(thread)) return false;
  const PendingRecord* end = records + count;
  while (records != end) {
    const PendingRecord* batch_end = records + std::min<size_t>(static_cast<size_t>(end - records), kBatch);
    uint8_t* begin = sink_->Reserve(kRoom * kBatch);
    if (begin == nullptr) return false;
    uint8_t* p = begin;
    ThreadEncoding now = thread;
    for (; records != batch_end; records++) p = Put(p, now, *records);
    thread = now;
    sink_->Commit(static_cast<size_t>(p - begin));
  }
  return true;
}

bool RecordWriter::Node(uint32_t id, uint32_t parent, uint32_t frame) {
  uint8_t* p = sink_->Reserve(kRoom);
  if (p == nullptr) return false;
  uint8_t* q = p + 1;
  uint8_t tag = wire::kNode;
  if (parent == last_node_id_ && parent != 0) {
    tag |= wire::kParentIsPrevious;
  } else {
    q = PutVarint(q, id - parent);
  }
  if (frame == last_node_frame_ + 1) {
    tag |= wire::kFrameIsNext;
  } else {
    q = PutZigzag(q, static_cast<int64_t>(frame) - static_cast<int64_t>(last_node_frame_));
  }
  last_node_id_ = id;
  last_node_frame_ = frame;
  return Finish(p, tag, q);
}

bool RecordWriter::Frame(const Location* locations, size_t count) {
  uint8_t* p = sink_->Reserve(kRoom + count * 3 * 5);
  if (p == nullptr) return false;
  uint8_t* q = PutVarint(p + 1, count);
  for (size_t i = 0; i < count; i++) {
    q = PutVarint(q, locations[i].function);
    q = PutVarint(q, locations[i].line);
    q = PutVarint(q, locations[i].column);
  }
  return Finish(p, wire::kFrame, q);
}

bool RecordWriter::NativeFrame(uint32_t module, uint64_t address) {
  uint8_t* p = sink_->Reserve(kRoom);
  if (p == nullptr) return false;
  return Finish(p, wire::kFrame | wire::kNativeFrame, PutVarint(PutVarint(p + 1, module), address));
}

bool RecordWriter::Module(uint32_t path, uint64_t bias, const uint8_t* build_id, size_t build_id_bytes) {
  if (build_id_bytes > wire::kMaxBuildIdBytes) build_id_bytes = 0;
  uint8_t body[10 * 3 + wire::kMaxBuildIdBytes];
  uint8_t* q = PutVarint(PutVarint(PutVarint(body, path), bias), build_id_bytes);
  if (build_id_bytes > 0) memcpy(q, build_id, build_id_bytes);
  return Extended(wire::kModule, body, static_cast<size_t>(q - body) + build_id_bytes);
}

bool RecordWriter::Symbol(uint32_t frame, uint32_t name) { return Extended(wire::kSymbol, {frame, name}); }

bool RecordWriter::Function(uint32_t name, uint32_t script, uint32_t line, uint32_t column) {
  uint8_t* p = sink_->Reserve(kRoom);
  if (p == nullptr) return false;
  uint8_t* q = PutVarint(p + 1, name);
  q = PutVarint(q, script);
  q = PutVarint(q, line);
  return Finish(p, wire::kFunction, PutVarint(q, column));
}

bool RecordWriter::Script(uint32_t url, uint32_t source_map_url) {
  uint8_t* p = sink_->Reserve(kRoom);
  if (p == nullptr) return false;
  return Finish(p, wire::kScript, PutVarint(PutVarint(p + 1, url), source_map_url));
}

bool RecordWriter::String(std::string_view text) {
  size_t size = std::min<size_t>(text.size(), wire::kMaxStringBytes);
  uint8_t* p = sink_->Reserve(kRoom + size);
  if (p == nullptr) return false;
  uint8_t* q = PutVarint(p + 1, size);
  memcpy(q, text.data(), size);
  return Finish(p, wire::kString, q + size);
}

bool RecordWriter::Thread(uint32_t index, uint32_t tid, uint32_t name) {
  uint8_t* p = sink_->Reserve(kRoom);
  if (p == nullptr) return false;
  return Finish(p, wire::kThread, PutVarint(PutVarint(PutVarint(p + 1, index), tid), name));
}

bool RecordWriter::Extended(wire::ExtendedType type, const uint8_t* bytes, size_t count) {
  uint8_t* p = sink_->Reserve(kRoom + count);
  if (p == nullptr) return false;
  p[1] = type;
  uint8_t* q = PutVarint(p + 2, count);
  memcpy(q, bytes, count);
  return Finish(p, wire::kExtended, q + count);
}

bool RecordWriter::Extended(wire::ExtendedType type, std::initializer_list<uint64_t> varints) {
  uint8_t body[10 * kMostVarints];
  uint8_t* q = body;
  for (uint64_t value : varints) q = PutVarint(q, value);
  return Extended(type, body, static_cast<size_t>(q - body));
}

bool RecordWriter::Snapshot(const MemoryFigures& f) {
  if (f.resident.rss != 0) return SnapshotWithTracked(f, 0);
  return Extended(wire::kSnapshot, {f.time_ms, f.rss, f.heap_used, f.heap_committed, f.external});
}

bool RecordWriter::SnapshotWithTracked(const MemoryFigures& f, uint64_t tracked_bytes) {
  const ResidentMemory& r = f.resident;
  if (r.rss == 0) {
    return Extended(wire::kSnapshot, {f.time_ms, f.rss, f.heap_used, f.heap_committed, f.external, tracked_bytes});
  }
  return Extended(wire::kSnapshot,
                  {f.time_ms, f.rss, f.heap_used, f.heap_committed, f.external, tracked_bytes, r.rss, r.files, r.stacks,
                   r.v8_heap, r.heapray, r.mapped, r.arenas, r.other, r.in_use_in_arenas, r.large_blocks});
}

bool RecordWriter::AggregatedLocation(const LocationFigures& l) {
  return Extended(wire::kLocation, {l.thread, l.node, static_cast<uint64_t>(l.allocator), l.peak_count, l.peak_bytes,
                                    l.live_count, l.live_bytes});
}

bool RecordWriter::Totals(uint64_t allocations, uint64_t bytes) {
  return Extended(wire::kTotals, {allocations, bytes});
}

bool RecordWriter::Trailer(std::string_view json) {
  return Extended(wire::kTrailer, reinterpret_cast<const uint8_t*>(json.data()), json.size());
}

}  // namespace heapray
