# Finds the compiled cpp-httplib (Debian: libcpp-httplib-dev, which has no CMake config) and defines httplib::httplib.
# Used by the tool only.

find_path(cpp_httplib_INCLUDE_DIR httplib.h)
find_library(cpp_httplib_LIBRARY cpp-httplib)
mark_as_advanced(cpp_httplib_INCLUDE_DIR cpp_httplib_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cpp_httplib REQUIRED_VARS cpp_httplib_LIBRARY cpp_httplib_INCLUDE_DIR)

if(cpp_httplib_FOUND AND NOT TARGET httplib::httplib)
  find_package(OpenSSL REQUIRED)
  find_package(Threads REQUIRED)
  add_library(httplib::httplib UNKNOWN IMPORTED)
  set_target_properties(httplib::httplib PROPERTIES IMPORTED_LOCATION "${cpp_httplib_LIBRARY}")
  # Debian builds it with this definition, on which the layout of its types depends.
  target_compile_definitions(httplib::httplib INTERFACE CPPHTTPLIB_OPENSSL_SUPPORT)
  target_include_directories(httplib::httplib INTERFACE "${cpp_httplib_INCLUDE_DIR}")
  target_link_libraries(httplib::httplib INTERFACE OpenSSL::SSL Threads::Threads)
endif()
