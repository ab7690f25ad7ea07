# zkr_add_library(<target> <exported name>)
#   A static library, exported as zkrecipes::<exported name>. Its files are named by the folders' CMakeLists.txt:
#   sources with target_sources(<target> PRIVATE …), public headers with zkr_public_headers(<target> …).
function(zkr_add_library target name)
  add_library(${target} STATIC)
  add_library(zkrecipes::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  target_compile_features(${target} PUBLIC cxx_std_20)
  zkr_private_includes(${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include")
endfunction()

# zkr_public_headers(<target> <file>…): files relative to include/zkrecipes.
function(zkr_public_headers target)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/include/zkrecipes/")
  target_sources(${target} PUBLIC FILE_SET HEADERS FILES ${ARGN})
endfunction()

# Our own private headers are included as "core/x.hpp" (below src) and "recipes/x/y.hpp" (below the project).
function(zkr_private_includes target)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
endfunction()
