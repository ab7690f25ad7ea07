// For the tests that close a handle with requests in flight: the C library forgets them, and their memory
// (ZOOKEEPER-3868). LeakSanitizer asks for this function; without it nobody does.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libzookeeper_mt"; }
