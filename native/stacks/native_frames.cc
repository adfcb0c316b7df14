#include "stacks/native_frames.h"

#include "process/modules.h"
#include "stacks/stack_tree.h"

namespace heapray {

uint32_t NativeFrames::Frame(uint64_t pc) {
  const Modules& loaded = Modules::Get();
  uint32_t generation = loaded.generation();
  Place* known = frame_by_pc_.Find(pc);
  if (known != nullptr && known->generation == generation) return known->frame;

  // A return address may be the end of its function, and of its module.
  int number = loaded.Find(pc - 1);
  uint32_t module = number < 0 ? 0 : Module(number);
  uint64_t address = number < 0 ? pc : pc - loaded[number].bias;
  uint32_t& slot = frame_by_address_[static_cast<uint64_t>(module) << 48 | address];
  if (slot == 0) {
    slot = tree_->NewFrame();
    frames_.push_back({slot, module, address});
    writer_->NativeFrame(module, address);
  }
  uint32_t frame = slot;
  frame_by_pc_[pc] = {generation, frame};
  return frame;
}

uint32_t NativeFrames::Module(int number) {
  auto index = static_cast<size_t>(number);
  if (index >= module_ids_.size()) module_ids_.resize(index + 1);
  if (module_ids_[index] == 0) {
    const heapray::Module& module = Modules::Get()[number];
    uint32_t path = tree_->String(module.path);
    modules_.push_back({module.path, std::string(module.build_id.begin(), module.build_id.end())});
    module_ids_[index] = static_cast<uint32_t>(modules_.size());
    writer_->Module(path, module.bias, module.build_id.data(), module.build_id.size());
  }
  return module_ids_[index];
}

}  // namespace heapray
