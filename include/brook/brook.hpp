// brook.hpp — everything but the optional headers.
#pragma once

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/consumer.hpp>
#include <brook/core/config.hpp>
#include <brook/delivery.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/forward.hpp>
#include <brook/fwd.hpp>
#include <brook/group.hpp>
#include <brook/hash_slot.hpp>
#include <brook/id.hpp>
#include <brook/id_range.hpp>
#include <brook/into.hpp>
#include <brook/message.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/pubsub.hpp>
#include <brook/redelivery.hpp>
#include <brook/requests.hpp>
#include <brook/stream.hpp>
#include <brook/subscription.hpp>
#include <brook/wait.hpp>
