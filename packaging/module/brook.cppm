// brook.cppm — brook as a module: `import brook;`.
//
//   import brook;
//   brook::Stream<std::string> orders;                     // the standard library by its headers, before the import
//
// It exports all names of namespace brook, of all headers that need no other library, also of the optional ones. Modules export no
// macros: BROOK_VERSION_MAJOR and others are in <brook/core/config.hpp>. scripts/module.py checks that no name is missing.
module;

#include <brook/adapters/coroutine.hpp>
#include <brook/brook.hpp>
#include <brook/journal.hpp>
#include <brook/redis.hpp>
#include <brook/snapshot.hpp>
#include <brook/testing.hpp>

#ifdef __linux__
#include <brook/adapters/eventfd.hpp>
#endif

export module brook;

export namespace brook {

// adapters/coroutine.hpp
using brook::Resumption;
using brook::Schedule;
using brook::ready;
using brook::ready_on;

#ifdef __linux__
// adapters/eventfd.hpp
using brook::ReadyFd;
#endif

// blocking_list.hpp
using brook::Length;
using brook::LposOptions;
using brook::ListInfo;
using brook::BlockingList;

// blocking_list/joint_push.hpp
using brook::Into;
using brook::into;

// blocking_list/refused.hpp
using brook::Refused;

// blocking_list/several.hpp
using brook::Popped;
using brook::PoppedMany;
using brook::blpop;
using brook::brpop;
using brook::lmpop;
using brook::blmpop;

// broker.hpp
using brook::NameError;
using brook::Broker;

// channel.hpp
using brook::Channel;

// channel/callback.hpp
using brook::MessageCallback;

// clock.hpp
using brook::Clock;
using brook::SystemClock;
using brook::clock_or_system;
using brook::CoarseClock;

// consumer.hpp
using brook::Consumer;

// delivery.hpp
using brook::Delivery;
using brook::Deliveries;

// entries.hpp
using brook::Entry;
using brook::Entries;

// error.hpp
using brook::expected;
using brook::unexpected;
using brook::Errc;
using brook::message;
using brook::category;
using brook::make_error_code;

// forward.hpp
using brook::watch_all;

// group.hpp
using brook::Group;

// hash_slot.hpp
using brook::hash_slots;
using brook::hash_slot;

// id.hpp
using brook::Id;
using brook::AutoSeq;
using brook::to_string;
using brook::operator<<;

// id_range.hpp
using brook::IdRange;

// into.hpp
using brook::KeptInto;
using brook::ForwardTarget;

// journal.hpp
using brook::Journal;

// journal/options.hpp
using brook::Flush;
using brook::IfFailed;
using brook::IfDamaged;
using brook::JournalOptions;
using brook::JournalRecovery;
using brook::JournalInfo;

// message.hpp
using brook::Message;
using brook::BasicMessages;
using brook::Messages;

// options.hpp
using brook::unlimited;
using brook::no_limit;
using brook::Earliest;
using brook::Latest;
using brook::earliest;
using brook::latest;
using brook::Position;
using brook::default_spin;
using brook::IdempotencyWindow;
using brook::Idempotent;
using brook::Overflow;
using brook::StreamOptions;
using brook::Side;
using brook::opposite;
using brook::ListOptions;
using brook::ChannelOptions;
using brook::SubscribeOptions;
using brook::CallOn;
using brook::CallbackOptions;
using brook::PubSubOptions;
using brook::TopicOptions;
using brook::ChannelInfo;
using brook::BrokerOptions;
using brook::ObjectKind;
using brook::ObjectInfo;
using brook::Rotation;
using brook::ReadOptions;
using brook::NackOptions;
using brook::TrimOptions;
using brook::StreamInfo;
using brook::PendingSummary;
using brook::GroupInfo;
using brook::ConsumerInfo;

// probe.hpp
using brook::Operation;
using brook::type_mark;
using brook::GivenValues;
using brook::Call;
using brook::Outcome;
using brook::Manner;
using brook::Perform;
using brook::Probe;
using brook::Probed;
using brook::Standing;
using brook::standing_with;

// pubsub.hpp
using brook::PubSub;

// redelivery.hpp
using brook::RetryDelay;
using brook::DeathReason;
using brook::Death;
using brook::DeadLetter;
using brook::DeadLetterTo;
using brook::KeyOf;
using brook::GroupOptions;
using brook::ClaimOptions;
using brook::AutoClaimOptions;
using brook::AutoClaimed;
using brook::PendingOptions;
using brook::PendingEntry;
using brook::ConsumerFullInfo;
using brook::GroupFullInfo;
using brook::StreamFullInfo;
using brook::Orphans;

// redis.hpp
using brook::export_to_redis;
using brook::import_from_redis;
using brook::import_redis_reply;

// redis/format.hpp
using brook::RedisFields;
using brook::RedisText;
using brook::RedisRow;
using brook::RedisEntry;
using brook::RedisFormat;

// redis/options.hpp
using brook::RedisExportOptions;
using brook::RedisExported;
using brook::RedisImportOptions;
using brook::RedisImported;

// requests.hpp
using brook::Request;
using brook::Service;
using brook::Reply;
using brook::Requests;

// select.hpp
using brook::Selected;
using brook::select;
using brook::read;
using brook::CancelHandle;
using brook::ReadyHandler;
using brook::on_ready;

// select/sources.hpp
using brook::Source;
using brook::ValueFrom;
using brook::from;
using brook::moving;
using brook::Selectable;

// snapshot.hpp
using brook::save;
using brook::load;

// snapshot/bytes.hpp
using brook::Encoder;
using brook::Decoder;

// snapshot/codec.hpp
using brook::Encodable;
using brook::Codec;
using brook::MemberCodec;

// snapshot/error.hpp
using brook::SnapshotError;

// snapshot/policies.hpp
using brook::Policies;

// snapshot/progress.hpp
using brook::SnapshotProgress;
using brook::SaveOptions;
using brook::LoadOptions;

// snapshot/sink.hpp
using brook::ByteSink;
using brook::ByteSource;
using brook::SnapshotSink;
using brook::SnapshotSource;

// snapshot/types.hpp
using brook::Types;
using brook::types;

// stream.hpp
using brook::Stream;

// subscription.hpp
using brook::BasicSubscription;
using brook::Subscription;
using brook::CallbackSubscription;

// testing/damage.hpp
using brook::Damage;
using brook::DamageOptions;
using brook::damage;

// testing/dump.hpp
using brook::DumpOptions;
using brook::dump;

// testing/faults.hpp
using brook::Faults;

// testing/fill.hpp
using brook::fill;

// testing/manual_clock.hpp
using brook::ManualClock;

// testing/record.hpp
using brook::Record;

// testing/recorder.hpp
using brook::RecorderOptions;
using brook::Recorder;

// testing/rule.hpp
using brook::Fault;
using brook::Rule;

// testing/shown.hpp
using brook::Shown;

// testing/where.hpp
using brook::Where;

// topic_subscription.hpp
using brook::TopicSubscription;

// wait.hpp
using brook::Forever;
using brook::forever;
using brook::Wait;

}  // namespace brook

// Comparing one brook::expected with another.
export namespace tl {

using tl::operator==;
using tl::operator!=;

}  // namespace tl
