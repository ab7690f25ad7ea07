# zkr_check_headers(<library>…): a part of every build of this project; compiles each public header of the libraries
# alone and without exceptions, as a user's -fno-exceptions program would.
function(zkr_check_headers)
  # The bridge to asio's completion tokens: asio itself wants to be told how to go without exceptions.
  set(not_checked "zkrecipes/asio.hpp")

  add_library(zkrecipes_header_check OBJECT)
  target_compile_options(zkrecipes_header_check PRIVATE -fno-exceptions)
  set_target_properties(zkrecipes_header_check PROPERTIES CXX_CLANG_TIDY "")
  foreach(library IN LISTS ARGN)
    target_link_libraries(zkrecipes_header_check PRIVATE ${library})
    get_target_property(headers ${library} HEADER_SET)
    foreach(header IN LISTS headers)
      cmake_path(RELATIVE_PATH header BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/include")
      if(header AND NOT header IN_LIST not_checked)
        set(source "${PROJECT_BINARY_DIR}/header_check/${header}.cpp")
        file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n")
        target_sources(zkrecipes_header_check PRIVATE "${source}")
      endif()
    endforeach()
  endforeach()
endfunction()
