#include "node/async_work.h"

#include <dlfcn.h>
#include <node_api.h>
#include <uv.h>

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "tracker.h"

namespace heapray {
namespace {

// While it exists, the thread allocates on behalf of whoever queued its work.
class WorkScope {
 public:
  explicit WorkScope(WorkContext context) : before_(Tracker::Get().context()) { Tracker::Get().SetContext(context); }
  ~WorkScope() { Tracker::Get().SetContext(before_); }
  WorkScope(const WorkScope&) = delete;
  WorkScope& operator=(const WorkScope&) = delete;

 private:
  WorkContext before_;
};

// What is known of each piece of work, by its handle.
template <typename Handle, typename Work>
class Works {
 public:
  // Returns what was known under the handle: work whose end was not seen, since tracking had stopped.
  Work Put(Handle handle, Work work) {
    Untracked untracked;
    std::lock_guard lock(mutex_);
    return std::exchange(works_[handle], work);
  }
  Work* Find(Handle handle) {
    Untracked untracked;
    std::lock_guard lock(mutex_);
    auto found = works_.find(handle);
    return found == works_.end() ? nullptr : &found->second;
  }
  // Removes and returns it; Work() when it is not known.
  Work Take(Handle handle) {
    Untracked untracked;
    std::lock_guard lock(mutex_);
    auto found = works_.find(handle);
    if (found == works_.end()) return Work();
    Work work = found->second;
    works_.erase(found);
    return work;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Handle, Work> works_;
};

// Node-API: the work is created with its callbacks, queued once or more, and deleted.
struct NapiWork {
  napi_async_execute_callback execute = nullptr;
  napi_async_complete_callback complete = nullptr;
  void* data = nullptr;
  std::string name;
  WorkContext context;
};

Works<napi_async_work, NapiWork*>& NapiWorks() {
  static auto* works = new Works<napi_async_work, NapiWork*>;
  return *works;
}

void Execute(napi_env env, void* data) {
  auto* work = static_cast<NapiWork*>(data);
  WorkScope scope(work->context);
  work->execute(env, work->data);
}

void Complete(napi_env env, napi_status status, void* data) {
  // The callback may delete the work.
  NapiWork work = *static_cast<NapiWork*>(data);
  if (work.complete != nullptr) work.complete(env, status, work.data);
}

// The name that an addon gives its work, empty for none. Tracked: reading a string may collect garbage.
class GivenName {
 public:
  GivenName(napi_env env, napi_value value) {
    if (value != nullptr) napi_get_value_string_utf8(env, value, text_, sizeof text_, &length_);
  }
  std::string_view text() const { return {text_, length_}; }

 private:
  char text_[64] = "";
  size_t length_ = 0;
};

napi_status CreateAsyncWork(napi_env env, napi_value resource, napi_value name, napi_async_execute_callback execute,
                            napi_async_complete_callback complete, void* data, napi_async_work* result) {
  if (!Tracker::Get().active() || execute == nullptr || result == nullptr) {
    return napi_create_async_work(env, resource, name, execute, complete, data, result);
  }
  GivenName given(env, name);
  NapiWork* work;
  {
    Untracked untracked;
    work = new NapiWork{execute, complete, data, "queued work", {}};
    // "generic" is what the C++ wrapper of Node-API says when an addon names nothing.
    if (!given.text().empty() && given.text() != "generic") work->name.append(" (").append(given.text()).append(")");
  }
  napi_status status = napi_create_async_work(env, resource, name, Execute, Complete, work, result);
  if (status == napi_ok) work = NapiWorks().Put(*result, work);
  Untracked untracked;
  delete work;
  return status;
}

napi_status QueueAsyncWork(napi_env env, napi_async_work handle) {
  if (NapiWork** work = NapiWorks().Find(handle)) (*work)->context = Tracker::Get().ContextHere((*work)->name);
  return napi_queue_async_work(env, handle);
}

napi_status DeleteAsyncWork(napi_env env, napi_async_work handle) {
  NapiWork* work = NapiWorks().Take(handle);
  napi_status status = napi_delete_async_work(env, handle);
  Untracked untracked;
  delete work;
  return status;
}

// libuv: the work is a request of the caller's, good for one call.
struct UvWork {
  uv_work_cb work = nullptr;
  uv_after_work_cb after = nullptr;
  WorkContext context;
};

Works<uv_work_t*, UvWork>& UvWorks() {
  static auto* works = new Works<uv_work_t*, UvWork>;
  return *works;
}

void UvExecute(uv_work_t* request) {
  UvWork* work = UvWorks().Find(request);
  if (work == nullptr) return;
  WorkScope scope(work->context);
  work->work(request);
}

void UvAfter(uv_work_t* request, int status) {
  UvWork work = UvWorks().Take(request);
  if (work.after != nullptr) work.after(request, status);
}

int UvQueueWork(uv_loop_t* loop, uv_work_t* request, uv_work_cb execute, uv_after_work_cb after) {
  if (!Tracker::Get().active() || execute == nullptr) return uv_queue_work(loop, request, execute, after);
  UvWorks().Put(request, {execute, after, Tracker::Get().ContextHere("queued work")});
  int error = uv_queue_work(loop, request, UvExecute, UvAfter);
  if (error != 0) UvWorks().Take(request);
  return error;
}

template <typename F>
void* Pointer(F* function) {
  return reinterpret_cast<void*>(function);
}

const Hook kHooks[] = {
    {"napi_create_async_work", Pointer(CreateAsyncWork), false},
    {"napi_queue_async_work", Pointer(QueueAsyncWork), false},
    {"napi_delete_async_work", Pointer(DeleteAsyncWork), false},
    {"uv_queue_work", Pointer(UvQueueWork), false},
};

}  // namespace

std::span<const Hook> AsyncWorkHooks() { return kHooks; }

}  // namespace heapray
