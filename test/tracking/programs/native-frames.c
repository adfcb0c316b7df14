// Functions whose frames differ in how they are laid out, each between JavaScript and malloc.
#include <alloca.h>
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FRAME __attribute__((noinline, noclone, visibility("default")))

// Keeps the compiler from turning a call into a jump.
static volatile size_t g_calls;

FRAME void* innermost(size_t bytes) {
  void* block = malloc(bytes);
  g_calls++;
  return block;
}

FRAME void* plain(size_t bytes) {
  void* block = innermost(bytes);
  g_calls++;
  return block;
}

// Needs all registers that a function has to save.
FRAME void* many_registers(size_t bytes) {
  size_t a = g_calls, b = a + 1, c = b * 3, d = c ^ a, e = d + b, f = e * c;
  void* block = plain(bytes);
  g_calls = a ^ b ^ c ^ d ^ e ^ f;
  return block;
}

FRAME void* large_frame(size_t bytes) {
  volatile char room[40000];
  room[bytes % sizeof room] = 1;
  void* block = many_registers(bytes);
  g_calls += (size_t)room[0];
  return block;
}

FRAME void* variable_frame(size_t bytes) {
  char* room = alloca(bytes % 1000 + 16);
  memset(room, 0, 16);
  void* block = large_frame(bytes);
  g_calls += (size_t)room[g_calls % 16];
  return block;
}

FRAME void* aligned_frame(size_t bytes) {
  volatile char room[128] __attribute__((aligned(64)));
  room[bytes % 128] = 1;
  void* block = variable_frame(bytes);
  g_calls += (size_t)room[3];
  return block;
}

// Several ways out, one of them into another function's end.
FRAME void* many_exits(size_t bytes) {
  if (bytes == 1) return NULL;
  void* block = aligned_frame(bytes);
  if (block == NULL) return plain(16);
  switch (g_calls % 7) {
    case 0: g_calls += 3; return block;
    case 1: g_calls *= 2; break;
    case 4: return g_calls == 4 ? block : (void*)((size_t)block | 0);
    default: g_calls--;
  }
  g_calls++;
  return block;
}

typedef void* (*Function)(size_t);
static volatile Function g_function = many_exits;

FRAME void* indirect(size_t bytes) {
  void* block = g_function(bytes);
  g_calls++;
  return block;
}

static size_t SizeIn(napi_env env, napi_callback_info info, napi_value* function) {
  size_t count = 2;
  napi_value arguments[2];
  uint32_t size = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_uint32(env, arguments[0], &size);
  if (function != NULL) *function = arguments[1];
  return size;
}

static napi_value Allocate(napi_env env, napi_callback_info info) {
  indirect(SizeIn(env, info, NULL));
  g_calls++;
  return NULL;
}

// allocateAndCall(size, function)
FRAME napi_value calls_back(napi_env env, napi_callback_info info) {
  napi_value function;
  napi_value global;
  indirect(SizeIn(env, info, &function));
  napi_get_global(env, &global);
  napi_call_function(env, global, function, 0, NULL, NULL);
  g_calls++;
  return NULL;
}

FRAME void* thread_body(void* size) {
  indirect((size_t)size);
  g_calls++;
  return NULL;
}

static napi_value InThread(napi_env env, napi_callback_info info) {
  pthread_t thread;
  pthread_create(&thread, NULL, thread_body, (void*)SizeIn(env, info, NULL));
  pthread_join(thread, NULL);
  return NULL;
}

FRAME void pool_body(napi_env env, void* size) {
  (void)env;
  indirect((size_t)size);
  g_calls++;
}

static void Done(napi_env env, napi_status status, void* data) {
  (void)env, (void)status, (void)data;
}

static napi_value Queue(napi_env env, napi_callback_info info) {
  napi_async_work work;
  napi_value name;
  napi_create_string_utf8(env, "native-frames", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, pool_body, Done, (void*)SizeIn(env, info, NULL), &work);
  napi_queue_async_work(env, work);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"allocate", NULL, Allocate, NULL, NULL, NULL, napi_default, NULL},
      {"allocateAndCall", NULL, calls_back, NULL, NULL, NULL, napi_default, NULL},
      {"inThread", NULL, InThread, NULL, NULL, NULL, napi_default, NULL},
      {"queue", NULL, Queue, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}
