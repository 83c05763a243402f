// testing.hpp — what tests of programs that use brook need. No other header includes it.
#pragma once

#include <brook/testing/manual_clock.hpp>
