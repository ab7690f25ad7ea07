# Settings for work on zkrecipes itself; included only when it is the top-level project. Whether a warning is an error
# is the preset's choice (CMAKE_COMPILE_WARNING_AS_ERROR).

include(CheckLinkerFlag)

set(ZKRECIPES_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, 'address,undefined' or 'thread'")

add_compile_options(
  -Wall
  -Wextra
  -Wpedantic
  -Wshadow
  -Wconversion
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wold-style-cast
  -Wcast-align
  -Wextra-semi
  -Wformat=2
  -Wundef
  -Wunused
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond>
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wimplicit-fallthrough>)

if(ZKRECIPES_SANITIZE)
  # Lines are what a report needs; more would take half as long again to compile.
  add_compile_options(-fsanitize=${ZKRECIPES_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${ZKRECIPES_SANITIZE})
  if(ZKRECIPES_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns that TSan does not see std::atomic_thread_fence, which asio calls around its handlers; what is handed
    # over there is guarded by asio's mutexes as well.
    add_compile_options(-Wno-tsan)
  endif()
endif()

# Faster builds where the tools are there; nothing depends on them.
find_program(ZKRECIPES_CCACHE ccache)
if(ZKRECIPES_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${ZKRECIPES_CCACHE}")
endif()
find_program(ZKRECIPES_MOLD mold)
if(ZKRECIPES_MOLD)
  check_linker_flag(CXX -fuse-ld=mold ZKRECIPES_LINKS_WITH_MOLD)
  if(ZKRECIPES_LINKS_WITH_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

# Adds the target all_verify_interface_header_sets, which compiles each public header with nothing but its library's
# interface.
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
