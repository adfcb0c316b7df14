// Loads libraries by name, as addons with parts of their own do: load(name) tells whether it was found.
#include <dlfcn.h>
#include <node_api.h>

static napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 1;
  size_t length = 0;
  char name[256];
  napi_value argument;
  napi_value found;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_string_utf8(env, argument, name, sizeof name, &length);
  void* library = dlopen(name, RTLD_NOW);
  napi_get_boolean(env, library != NULL && dlsym(library, "heapray_test_part") != NULL, &found);
  if (library != NULL) dlclose(library);
  return found;
}

NAPI_MODULE_INIT() {
  napi_value load;
  napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, NULL, &load);
  return load;
}
