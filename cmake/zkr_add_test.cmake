# zkr_add_test(<name> [ONE_THREAD] <source>… [LIBS <library>…] [TIMEOUT <seconds>] [PROPERTIES <test property> <value>…])
#
#   A GoogleTest program; each of its tests is a ctest of its own, in test/unit/wire named unit.wire.<suite>.<test> and
#   labelled unit. TIMEOUT bounds one test (60 s) and is scaled by ZKRECIPES_TEST_TIME_FACTOR, which the test sees as
#   ZKR_TEST_TIME_FACTOR in its environment. ONE_THREAD: it has no more; there is nothing in it for the thread sanitizer.

include(GoogleTest)

function(zkr_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ONE_THREAD" "TIMEOUT" "LIBS;PROPERTIES")
  if(arg_ONE_THREAD AND ZKRECIPES_SANITIZE STREQUAL "thread")
    return()
  endif()
  if(NOT DEFINED arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  math(EXPR timeout "${arg_TIMEOUT} * ${ZKRECIPES_TEST_TIME_FACTOR}")
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/test" OUTPUT_VARIABLE folder)
  string(REPLACE "/" ";" folders "${folder}")
  list(GET folders 0 label)
  list(JOIN folders "." prefix)

  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} zkr_test_support GTest::gmock_main)
  gtest_discover_tests(
    ${name}
    TEST_PREFIX "${prefix}."
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES
      TIMEOUT ${timeout}
      LABELS ${label}
      ENVIRONMENT "ZKR_TEST_TIME_FACTOR=${ZKRECIPES_TEST_TIME_FACTOR}"
      ${arg_PROPERTIES})
endfunction()
