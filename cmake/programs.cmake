# What brook's own programs (tests, examples, benchmarks) are built with; users of brook::brook see none of it.
set(CMAKE_CXX_EXTENSIONS OFF)

# With the forwarding folder that ./dev amalgamate makes, they are built with the single header.
set(BROOK_INCLUDE_DIR "" CACHE PATH "Other headers for brook's own programs than those in include/")
mark_as_advanced(BROOK_INCLUDE_DIR)

add_library(brook_program INTERFACE)
if(BROOK_INCLUDE_DIR)
  target_include_directories(brook_program BEFORE INTERFACE ${BROOK_INCLUDE_DIR})
endif()
target_link_libraries(brook_program INTERFACE brook::brook)
if(NOT MSVC)
  target_compile_options(brook_program INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                 $<$<BOOL:${BROOK_WARNINGS_AS_ERRORS}>:-Werror>)
  # g++ collects its garbage late, as late as the memory allows, and calls no std::move without optimisation either, as
  # clang does: a fifth less time.
  cmake_host_system_information(RESULT memory QUERY TOTAL_PHYSICAL_MEMORY)  # MiB
  set(heap 500000)
  if(memory GREATER 16000)
    set(heap 2000000)
  endif()
  target_compile_options(
    brook_program
    INTERFACE $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=${heap}>
              $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,12>>:-ffold-simple-inlines>)
endif()

# hiredis is optional: with it the differential tests and the benchmarks talk to a redis-server, if one is installed.
find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h)
find_library(HIREDIS_LIBRARY hiredis)
mark_as_advanced(HIREDIS_INCLUDE_DIR HIREDIS_LIBRARY)
if(HIREDIS_INCLUDE_DIR AND HIREDIS_LIBRARY AND NOT TARGET brook_hiredis)
  add_library(brook_hiredis INTERFACE)
  target_include_directories(brook_hiredis SYSTEM INTERFACE ${HIREDIS_INCLUDE_DIR})
  target_link_libraries(brook_hiredis INTERFACE ${HIREDIS_LIBRARY})
endif()

# asio is optional: with it the adapter for it is tested, and its example built.
find_path(ASIO_INCLUDE_DIR asio/associated_cancellation_slot.hpp)
mark_as_advanced(ASIO_INCLUDE_DIR)
if(ASIO_INCLUDE_DIR AND NOT TARGET brook_asio)
  add_library(brook_asio INTERFACE)
  target_include_directories(brook_asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    target_compile_definitions(brook_asio INTERFACE ASIO_DISABLE_FENCED_BLOCK)  # ThreadSanitizer cannot see fences
  endif()
  # asio before 1.24 does not know that clang has the coroutines of C++20.
  target_compile_definitions(
    brook_asio INTERFACE $<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1>)
endif()
if(NOT TARGET brook_asio)
  message(STATUS "brook: no asio: the adapter for it is left out of the tests and examples")
endif()

# cereal is optional: with it the codec by it is tested, and its example built.
find_path(CEREAL_INCLUDE_DIR cereal/cereal.hpp)
mark_as_advanced(CEREAL_INCLUDE_DIR)
if(CEREAL_INCLUDE_DIR AND NOT TARGET brook_cereal)
  add_library(brook_cereal INTERFACE)
  target_include_directories(brook_cereal SYSTEM INTERFACE ${CEREAL_INCLUDE_DIR})
endif()
if(NOT TARGET brook_cereal)
  message(STATUS "brook: no cereal: the codec by it is left out of the tests and examples")
endif()
