# Installs the headers, the CMake package and brook.pc. Nothing of it depends on the machine, so all goes to share/.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/brook)

install(
  TARGETS brook
  EXPORT brookTargets
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  EXPORT brookTargets
  NAMESPACE brook::
  DESTINATION ${package_dir})

# Before 1.0 a minor version may break; from then on only a major one.
set(compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
endif()
write_basic_package_version_file(brookConfigVersion.cmake COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
configure_package_config_file(cmake/brookConfig.cmake.in brookConfig.cmake INSTALL_DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/brookConfig.cmake ${PROJECT_BINARY_DIR}/brookConfigVersion.cmake
        DESTINATION ${package_dir})

# Relative to where brook.pc lies, so that the tree can be moved.
set(pc_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix /prefix/${pc_dir} /prefix)
configure_file(cmake/brook.pc.in brook.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/brook.pc DESTINATION ${pc_dir})

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/gdb/brook_gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/brook)
install(FILES packaging/module/brook.cppm packaging/natvis/brook.natvis DESTINATION ${CMAKE_INSTALL_DATADIR}/brook)
