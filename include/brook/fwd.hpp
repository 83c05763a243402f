// fwd.hpp — the names, for headers that only mention them.
#pragma once

#include <brook/core/config.hpp>

namespace brook {

struct AutoClaimOptions;
struct AutoSeq;
class Broker;
struct BrokerOptions;
struct Call;
enum class CallOn : unsigned char;
struct CallbackOptions;
class CallbackSubscription;
class CancelHandle;
struct ChannelInfo;
struct ChannelOptions;
struct ClaimOptions;
class Clock;
class CoarseClock;
struct ConsumerFullInfo;
struct ConsumerInfo;
enum class Damage : unsigned char;
struct DamageOptions;
struct Death;
enum class DeathReason : unsigned char;
struct DumpOptions;
struct Earliest;
enum class Errc;
struct Fault;
class Faults;
struct Forever;
struct GroupFullInfo;
struct GroupInfo;
struct Id;
class IdRange;
struct IdempotencyWindow;
struct Idempotent;
struct Latest;
struct ListInfo;
struct ListOptions;
struct LposOptions;
struct Manner;
class ManualClock;
struct NackOptions;
class NameError;
struct ObjectInfo;
enum class ObjectKind : unsigned char;
enum class Operation : unsigned char;
enum class Orphans : unsigned char;
struct Outcome;
enum class Overflow : unsigned char;
struct PendingEntry;
struct PendingOptions;
struct PendingSummary;
class Perform;
class Position;
class Probe;
class Probed;
struct PubSubOptions;
struct ReadOptions;
struct Record;
class Recorder;
struct RecorderOptions;
struct RetryDelay;
struct Rotation;
class Rule;
enum class Side : unsigned char;
struct StreamInfo;
struct StreamOptions;
struct SubscribeOptions;
class SystemClock;
struct TopicOptions;
struct TrimOptions;
class Wait;
struct Where;

template <class T>
struct AutoClaimed;
template <class T>
class BlockingList;
template <class T>
class Channel;
template <class T>
class Consumer;
template <class T>
struct DeadLetter;
template <class T>
class DeadLetterTo;
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
class KeyOf;
template <class T>
class Length;
template <class T>
class Message;
template <class T>
class PubSub;
template <class Answer>
class Reply;
template <class Question, class Answer>
class Request;
template <class Question, class Answer>
class Requests;
template <class Question, class Answer>
class Service;
template <class T>
struct Shown;
template <class T>
class Stream;
template <class T>
struct StreamFullInfo;
template <class T>
class Subscription;
template <class T>
class TopicSubscription;

}  // namespace brook
