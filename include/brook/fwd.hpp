// fwd.hpp — the names, for headers that only mention them.
#pragma once

namespace brook {

struct AutoSeq;
class Broker;
class CallbackSubscription;
class Clock;
class CoarseClock;
enum class Errc;
struct GroupInfo;
struct Id;
class IdRange;
class ManualClock;
struct PendingSummary;
class Position;
class Probe;
struct ReadOptions;
struct StreamInfo;
struct StreamOptions;
class SystemClock;
struct TrimOptions;
class Wait;

template <class T>
class BlockingList;
template <class T>
class Channel;
template <class T>
class Consumer;
template <class T>
class Deliveries;
template <class T>
class Delivery;
template <class T>
class Entries;
template <class T>
struct Entry;
template <class T>
class Group;
template <class T>
struct GroupOptions;
template <class T>
class Message;
template <class T>
class PubSub;
template <class T>
class Stream;
template <class T>
class Subscription;
template <class T>
class TopicSubscription;

}  // namespace brook
