# Install rules: find_package(zkrecipes COMPONENTS core zkrecipes server testing prometheus) finds what these lines put down.
# Each library is an export set of its own, so that a user of one does not need what the others link.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/zkrecipes")

set(libraries zkrecipes_core zkrecipes zkrecipes_server zkrecipes_testing)
if(TARGET zkrecipes_prometheus)
  list(APPEND libraries zkrecipes_prometheus)
endif()
foreach(library IN LISTS libraries)
  get_target_property(component ${library} EXPORT_NAME)
  install(
    TARGETS ${library}
    EXPORT zkrecipes-${component}
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(
    EXPORT zkrecipes-${component}
    FILE zkrecipes-${component}-targets.cmake
    NAMESPACE zkrecipes::
    DESTINATION "${config_dir}")
endforeach()

if(TARGET zkr)
  install(TARGETS zkr RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(TARGETS zkr_http LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/zkrecipes")
endif()

configure_package_config_file(cmake/zkrecipesConfig.cmake.in zkrecipesConfig.cmake INSTALL_DESTINATION "${config_dir}")
write_basic_package_version_file(zkrecipesConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/zkrecipesConfig.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/zkrecipesConfigVersion.cmake"
        cmake/FindNettle.cmake
        cmake/FindZooKeeperMT.cmake
  DESTINATION "${config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
