// Ends the process in the ways that native code does, and tells of signals what the program can know.
#include <fcntl.h>
#include <node_api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[64];

static const char *string_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_string_utf8(env, argument, text, sizeof text, NULL);
  return text;
}

static int number_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t number = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &number);
  return number;
}

static napi_value to_string(napi_env env, const char *string) {
  napi_value value;
  napi_create_string_utf8(env, string, NAPI_AUTO_LENGTH, &value);
  return value;
}

static void touch_beyond_file(void) {
  int file = memfd_create("short", 0);
  *(volatile char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) = 1;
}

// Not known to the compiler, which would complain.
static void *volatile block;
static volatile size_t low = 16;

static napi_value end(napi_env env, napi_callback_info info) {
  const char *way = string_of(env, info);
  volatile int zero = 0;
  if (strcmp(way, "write") == 0) *(volatile int *)low = 1;
  if (strcmp(way, "bus") == 0) touch_beyond_file();
  if (strcmp(way, "ud2") == 0) __builtin_trap();
  if (strcmp(way, "int3") == 0) __asm__("int3");
  if (strcmp(way, "divide") == 0) zero = 100 / zero;
  if (strcmp(way, "abort") == 0) abort();
  if (strcmp(way, "_exit") == 0) _exit(7);
  block = calloc(1, 100);
  if (strcmp(way, "large malloc") == 0) block = malloc(2 << 20);
  if (strcmp(way, "large realloc") == 0) block = realloc(block, 2 << 20);
  // By itself, so that nothing of heapray's learns of it.
  if (strncmp(way, "large", 5) == 0) syscall(SYS_kill, getpid(), SIGKILL);
  // The C library finds these, the second one with its allocator's lock held.
  if (strcmp(way, "realloc") == 0) block = realloc((void *)((size_t)block + 8), 200);
  if (strcmp(way, "free") == 0) {
    void *blocks[8];
    for (int i = 0; i < 8; i++) blocks[i] = malloc(2000);
    for (int i = 0; i < 8; i++) memset((char *)blocks[i] - 8, 0xff, 2016);
    for (int i = 0; i < 8; i++) free(blocks[i]);
  }
  return NULL;
}

static void on_signal(int signal) { (void)signal; }

static const char *name_of(void (*handler)(int)) {
  if (handler == SIG_DFL) return "default";
  if (handler == SIG_IGN) return "ignored";
  return handler == on_signal ? "ours" : "another";
}

// disposition(signal): the handler and its flags.
static napi_value disposition(napi_env env, napi_callback_info info) {
  struct sigaction action;
  char shown[64];
  if (sigaction(number_of(env, info), NULL, &action) != 0) return to_string(env, "none");
  int masked = 0;
  for (int i = 1; i < 32; i++) masked += sigismember(&action.sa_mask, i);
  snprintf(shown, sizeof shown, "%s %x %d", name_of(action.sa_handler), (unsigned)action.sa_flags, masked);
  return to_string(env, shown);
}

static const char *set_by_sigaction(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  struct sigaction old;
  return sigaction(number, &action, &old) == 0 ? name_of(old.sa_handler) : "failed";
}

// Sets the signal's handler in every way, round and round: what each call says was there before.
static napi_value set_handlers(napi_env env, napi_callback_info info) {
  int number = number_of(env, info);
  char shown[256];
  const char *a = set_by_sigaction(number, on_signal);
  const char *b = set_by_sigaction(number, SIG_DFL);
  const char *c = name_of(signal(number, on_signal));
  const char *d = name_of(signal(number, SIG_DFL));
  const char *e = name_of(signal(number, SIG_IGN));
  const char *f = name_of(sysv_signal(number, SIG_DFL));
  const char *g = name_of(sysv_signal(number, on_signal));
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  const char *h = name_of(sigset(number, SIG_DFL));
  const char *i = name_of(sigset(number, SIG_DFL));
  const char *j = set_by_sigaction(number, SIG_DFL);
  snprintf(shown, sizeof shown, "%s %s %s %s %s %s %s %s %s %s", a, b, c, d, e, f, g, h, i, j);
  return to_string(env, shown);
}

static napi_value ignore(napi_env env, napi_callback_info info) {
  return to_string(env, name_of(signal(number_of(env, info), SIG_IGN)));
}

// What a forked child sees of the signal, and what it dies of when it sends it to itself.
static napi_value fork_child(napi_env env, napi_callback_info info) {
  int number = number_of(env, info);
  int ends[2];
  char shown[64] = "";
  if (pipe(ends) != 0) return NULL;
  pid_t child = fork();
  if (child == 0) {
    struct sigaction action;
    sigaction(number, NULL, &action);
    const char *name = name_of(action.sa_handler);
    if (write(ends[1], name, strlen(name)) < 0) _exit(1);
    raise(number);
    _exit(0);
  }
  close(ends[1]);
  ssize_t length = read(ends[0], shown, 32);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  snprintf(shown + (length < 0 ? 0 : length), 32, " %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return to_string(env, shown);
}

NAPI_MODULE_INIT() {
  struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"end", end},
                   {"disposition", disposition},
                   {"setHandlers", set_handlers},
                   {"ignore", ignore},
                   {"forkChild", fork_child}};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value value;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
