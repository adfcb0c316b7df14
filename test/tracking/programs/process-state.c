// Tells of the process what a leak would change, and makes threads that come and go.
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <node_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// heapInUse(): bytes that the C library's allocator has handed out, in all of its arenas.
static napi_value heap_in_use(napi_env env, napi_callback_info info) {
  (void)info;
  struct mallinfo2 heap = mallinfo2();
  napi_value value;
  napi_create_double(env, (double)(heap.uordblks + heap.hblkhd), &value);
  return value;
}

struct hash {
  uint64_t slots;
  uint64_t value;
};

static void add(struct hash *hash, const char *name, uintptr_t value) {
  for (; *name != 0; name++) hash->value = (hash->value ^ (uint64_t)*name) * 1099511628211u;
  hash->value = (hash->value ^ value) * 1099511628211u;
  hash->slots++;
}

static int add_object(struct dl_phdr_info *object, size_t size, void *data) {
  (void)size;
  const ElfW(Dyn) *dynamic = NULL;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    if (object->dlpi_phdr[i].p_type == PT_DYNAMIC) {
      dynamic = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    }
  }
  // The kernel's own object has no addresses in its table that were relocated.
  if (dynamic == NULL || strstr(object->dlpi_name, "vdso") != NULL) return 0;
  const ElfW(Sym) *symbols = NULL;
  const char *strings = NULL;
  const ElfW(Rela) *tables[2] = {NULL, NULL};
  size_t bytes[2] = {0, 0};
  for (; dynamic->d_tag != DT_NULL; dynamic++) {
    if (dynamic->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_STRTAB) strings = (const char *)dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_JMPREL) tables[0] = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_PLTRELSZ) bytes[0] = dynamic->d_un.d_val;
    if (dynamic->d_tag == DT_RELA) tables[1] = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_RELASZ) bytes[1] = dynamic->d_un.d_val;
  }
  for (int t = 0; t < 2; t++) {
    for (size_t i = 0; i < bytes[t] / sizeof(ElfW(Rela)); i++) {
      const ElfW(Rela) *relocation = tables[t] + i;
      unsigned type = ELF64_R_TYPE(relocation->r_info);
      if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64) continue;
      uintptr_t value = *(const uintptr_t *)(object->dlpi_addr + relocation->r_offset);
      // What is not bound yet leads back into its own object, and may become bound at any time.
      const char *name = strings + symbols[ELF64_R_SYM(relocation->r_info)].st_name;
      Dl_info owner;
      int bound = dladdr((void *)value, &owner) != 0 && owner.dli_fbase != NULL &&
                  strcmp(owner.dli_fname, object->dlpi_name) != 0;
      if (type != R_X86_64_JUMP_SLOT || bound) add(data, name, value);
    }
  }
  return 0;
}

// imports(): the number and a hash of what all objects' imports are bound to.
static napi_value imports(napi_env env, napi_callback_info info) {
  (void)info;
  struct hash hash = {0, 14695981039346656037u};
  char text[64];
  dl_iterate_phdr(add_object, &hash);
  snprintf(text, sizeof text, "%lu slots, %lx", (unsigned long)hash.slots, (unsigned long)hash.value);
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

static void *allocate_and_free(void *data) {
  void *volatile blocks[20];
  for (int i = 0; i < 20; i++) blocks[i] = malloc((size_t)i + 1);
  for (int i = 0; i < 20; i++) free(blocks[i]);
  return data;
}

// shortThreads(count): one after the other.
static napi_value short_threads(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t threads = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &threads);
  for (int32_t i = 0; i < threads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, allocate_and_free, NULL) == 0) pthread_join(thread, NULL);
  }
  return NULL;
}

NAPI_MODULE_INIT() {
  struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"heapInUse", heap_in_use}, {"imports", imports}, {"shortThreads", short_threads}};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value value;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
