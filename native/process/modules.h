// The objects that are loaded into the process (the executable, shared libraries, addons), as a list that can be read
// inside any hook: without locks, which the dynamic linker's own list has.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace heapray {

struct Module {
  std::string path;
  std::vector<uint8_t> build_id;
  uint64_t bias = 0;  // what its file's virtual addresses are moved by
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t code_begin = 0;  // of its executable segment, the largest one
  uint64_t code_end = 0;
  uint64_t unwind_index = 0;  // its .eh_frame_hdr; 0: none
  std::atomic<bool> loaded{true};

  bool Contains(uint64_t address) const { return address >= begin && address < end; }
  bool ContainsCode(uint64_t address) const { return address >= code_begin && address < code_end; }
};

class Modules {
 public:
  // The process's list. Never destroyed: threads may be inside it.
  static Modules& Get() { return instance_; }

  // Brings the list up to date where objects have come or gone. Not inside a hook: takes the dynamic linker's lock.
  void Refresh();

  // The number of a loaded module that contains the address, or -1. A module keeps its number.
  int Find(uint64_t address) const;
  const Module& operator[](int number) const { return *modules_[number].load(std::memory_order_acquire); }

  // Changes whenever an address may have come to mean another module.
  uint32_t generation() const { return generation_.load(std::memory_order_acquire); }

  // Keeps modules from being unloaded while their contents are being read. `entered` is false while one is on its way
  // out: then nothing must be read.
  class Reading {
   public:
    explicit Reading(Modules& modules) : modules_(modules) {
      modules_.readers_.fetch_add(1);
      entered_ = modules_.unloading_.load() == 0;
    }
    ~Reading() { modules_.readers_.fetch_sub(1); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    bool entered() const { return entered_; }

   private:
    Modules& modules_;
    bool entered_;
  };

  // In a forked child: threads that are not there may have held its lock, and been in the middle of it.
  void Forget();

  // Surrounds a dlclose.
  void BeginUnload();
  void EndUnload();

 private:
  // Programs that load more have frames without names.
  static constexpr int kMost = 4096;
  struct Visit;

  Modules() = default;
  ~Modules() = delete;
  void Learn(const Module& found, Visit& visit);

  static Modules& instance_;

  std::mutex refresh_mutex_;
  std::atomic<Module*> modules_[kMost]{};
  std::atomic<int> count_{0};
  std::atomic<uint32_t> generation_{1};
  std::atomic<int> readers_{0};
  std::atomic<int> unloading_{0};
  uint64_t seen_loads_ = 0;  // the dynamic linker's counts at the last refresh
  uint64_t seen_unloads_ = 0;
};

}  // namespace heapray
