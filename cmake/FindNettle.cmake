# Finds nettle (Debian: nettle-dev, which has no CMake config) and defines Nettle::Nettle. Installed beside
# zkrecipesConfig.cmake.

find_path(Nettle_INCLUDE_DIR nettle/sha1.h)
find_library(Nettle_LIBRARY nettle)
mark_as_advanced(Nettle_INCLUDE_DIR Nettle_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Nettle REQUIRED_VARS Nettle_LIBRARY Nettle_INCLUDE_DIR)

if(Nettle_FOUND AND NOT TARGET Nettle::Nettle)
  add_library(Nettle::Nettle UNKNOWN IMPORTED)
  set_target_properties(Nettle::Nettle PROPERTIES IMPORTED_LOCATION "${Nettle_LIBRARY}")
  target_include_directories(Nettle::Nettle INTERFACE "${Nettle_INCLUDE_DIR}")
endif()
