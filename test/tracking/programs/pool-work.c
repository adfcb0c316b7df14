// Queues work for the pool in the ways that addons do; each allocates `size` bytes on another thread and keeps them.
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct job {
  napi_async_work work;
  uv_work_t request;
  uint32_t size;
  int in_thread;
};

// Exported, so that no compiler finds the blocks unused.
void *kept[64];
static int kept_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *allocate(void *data) {
  struct job *job = data;
  void *block = malloc(job->size);
  memset(block, 1, job->size);
  pthread_mutex_lock(&mutex);
  kept[kept_count++] = block;
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void execute_job(struct job *job) {
  if (!job->in_thread) {
    allocate(job);
    return;
  }
  pthread_t thread;
  pthread_create(&thread, NULL, allocate, job);
  pthread_join(thread, NULL);
}

static void execute(napi_env env, void *data) {
  (void)env;
  execute_job(data);
}

static void complete(napi_env env, napi_status status, void *data) {
  (void)status;
  struct job *job = data;
  napi_delete_async_work(env, job->work);
  free(job);
}

static void execute_uv(uv_work_t *request) { execute_job(request->data); }

static void after_uv(uv_work_t *request, int status) {
  (void)status;
  free(request->data);
}

static struct job *new_job(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  struct job *job = calloc(1, sizeof *job);
  bool in_thread = false;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_uint32(env, arguments[0], &job->size);
  if (count > 1) napi_get_value_bool(env, arguments[1], &in_thread);
  job->in_thread = in_thread;
  return job;
}

static napi_value queue(napi_env env, napi_callback_info info) {
  struct job *job = new_job(env, info);
  napi_value name;
  napi_create_string_utf8(env, "pool-work", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute, complete, job, &job->work);
  napi_queue_async_work(env, job->work);
  return NULL;
}

static napi_value queue_uv(napi_env env, napi_callback_info info) {
  struct job *job = new_job(env, info);
  uv_loop_t *loop;
  napi_get_uv_event_loop(env, &loop);
  job->request.data = job;
  uv_queue_work(loop, &job->request, execute_uv, after_uv);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "queue", NAPI_AUTO_LENGTH, queue, NULL, &function);
  napi_set_named_property(env, exports, "queue", function);
  napi_create_function(env, "queueUv", NAPI_AUTO_LENGTH, queue_uv, NULL, &function);
  napi_set_named_property(env, exports, "queueUv", function);
  return exports;
}
