// cases.hpp — every topology, in the order in which it is measured.
#pragma once

#include <string>

#include "harness.hpp"

namespace bench {

void add_append(Suite& suite);
void add_wake_cost(Suite& suite);
void add_one_to_one(Suite& suite);
void add_many_to_one(Suite& suite);
void add_one_to_all(Suite& suite);
void add_ping_pong(Suite& suite);
void add_scan(Suite& suite);
void add_seek(Suite& suite);
void add_group(Suite& suite);
void add_memory(Suite& suite);
void add_growth(Suite& suite);
void add_publish(Suite& suite);
void add_publish_by_name(Suite& suite);
void add_queues(Suite& suite);
void add_broker(Suite& suite);
void add_snapshot(Suite& suite);
void add_journal(Suite& suite);
void add_redis(Suite& suite);

/// Names what this program was built without.
inline void name_missing_peers(Suite& suite) {
  const auto missing = [&](const char* peer, const char* package) {
    suite.left_out(peer, std::string("not found when this was built (") + package + ')');
  };
#ifndef BROOK_BENCH_CONCURRENTQUEUE
  missing("moodycamel", "libconcurrentqueue-dev");
#endif
#ifndef BROOK_BENCH_TBB
  missing("TBB", "libtbb-dev");
#endif
#ifndef BROOK_BENCH_BOOST
  missing("Boost", "libboost-dev");
#endif
#ifndef BROOK_BENCH_ZMQ
  missing("ZeroMQ", "libzmq3-dev cppzmq-dev");
#endif
#ifndef BROOK_BENCH_HIREDIS
  missing("redis", "libhiredis-dev");
#endif
  static_cast<void>(missing);
}

inline void add_all(Suite& suite) {
  name_missing_peers(suite);
  add_append(suite);
  add_wake_cost(suite);
  add_one_to_one(suite);
  add_many_to_one(suite);
  add_one_to_all(suite);
  add_ping_pong(suite);
  add_scan(suite);
  add_seek(suite);
  add_group(suite);
  add_memory(suite);
  add_growth(suite);
  add_publish(suite);
  add_publish_by_name(suite);
  add_queues(suite);
  add_broker(suite);
  add_snapshot(suite);
  add_journal(suite);
  add_redis(suite);
}

}  // namespace bench
