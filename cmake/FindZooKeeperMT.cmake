# Finds ZooKeeper's multi-threaded C client by header and library (Debian: libzookeeper-mt-dev, which has neither a
# CMake config nor a .pc file) and defines ZooKeeperMT::ZooKeeperMT. Installed beside zkrecipesConfig.cmake.
#
# THREADED stays undefined: it only makes zookeeper.h declare the blocking functions, which zkrecipes never calls.

find_path(ZooKeeperMT_INCLUDE_DIR zookeeper/zookeeper.h)
find_library(ZooKeeperMT_LIBRARY zookeeper_mt)
mark_as_advanced(ZooKeeperMT_INCLUDE_DIR ZooKeeperMT_LIBRARY)

if(ZooKeeperMT_INCLUDE_DIR AND EXISTS "${ZooKeeperMT_INCLUDE_DIR}/zookeeper/zookeeper_version.h")
  file(STRINGS "${ZooKeeperMT_INCLUDE_DIR}/zookeeper/zookeeper_version.h" zookeeper_version REGEX "ZOO_VERSION ")
  string(REGEX REPLACE ".*\"([0-9.]+).*" "\\1" ZooKeeperMT_VERSION "${zookeeper_version}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  ZooKeeperMT
  REQUIRED_VARS ZooKeeperMT_LIBRARY ZooKeeperMT_INCLUDE_DIR
  VERSION_VAR ZooKeeperMT_VERSION)

if(ZooKeeperMT_FOUND AND NOT TARGET ZooKeeperMT::ZooKeeperMT)
  find_package(Threads REQUIRED)
  add_library(ZooKeeperMT::ZooKeeperMT UNKNOWN IMPORTED)
  set_target_properties(ZooKeeperMT::ZooKeeperMT PROPERTIES IMPORTED_LOCATION "${ZooKeeperMT_LIBRARY}")
  target_include_directories(ZooKeeperMT::ZooKeeperMT INTERFACE "${ZooKeeperMT_INCLUDE_DIR}")
  target_link_libraries(ZooKeeperMT::ZooKeeperMT INTERFACE Threads::Threads)
endif()
