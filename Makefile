# feature_meta: plain PGXS. `make help` names the targets that are not.
all:

# Targets that bring what they need themselves (scripts/): they work on a machine without pg_config.
TOOLS = help demo demo-psql demo-clean check check-majors check-clients fuzz bench format format-check
.PHONY: $(TOOLS) prove generated reference

ifneq ($(and $(MAKECMDGOALS),$(if $(filter-out $(TOOLS),$(MAKECMDGOALS)),,yes)),yes)

EXTENSION = feature_meta
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" feature_meta.control)

MODULE_big = feature_meta
# C for the messages comes from proto/ by protoc-c, at build time.
PROTOS := $(wildcard proto/*.proto proto/google/protobuf/*.proto)
PB_C := $(PROTOS:proto/%.proto=src/pb/%.pb-c.c)
PB_H := $(PB_C:.c=.h)
# All messages by name, for google.protobuf.Any
MESSAGE_LIST = src/pb/message_list.c
SOURCES := $(sort $(wildcard src/*.c src/*/*.c) $(PB_C) $(MESSAGE_LIST))
ROOM_HEADERS := $(wildcard src/*.h src/*/*.h)
OBJS := $(SOURCES:.c=.o)

# The install script is the pieces of sql/, in the order of their numbers.
SQL_PARTS := $(sort $(wildcard sql/[0-9]*.sql))
DATA_built = sql/feature_meta--$(EXTVERSION).sql
DATA = $(filter-out $(DATA_built),$(wildcard sql/feature_meta--*--*.sql))

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=feature_meta

PG_CPPFLAGS = -Isrc -Isrc/pb -DFM_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -fvisibility=hidden
SHLIB_LINK = -lprotobuf-c -lm
EXTRA_CLEAN = src/pb $(DATA_built) test/fuzz/bin

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS) $(OBJS:.o=.bc): $(PB_H) $(ROOM_HEADERS)

# protoc-c writes the .c and the .h in one go.
src/pb/%.pb-c.h: src/pb/%.pb-c.c ;
src/pb/%.pb-c.c: proto/%.proto
	@mkdir -p src/pb
	protoc-c -I proto -I /usr/include --c_out=src/pb $(<:proto/%=%)

$(MESSAGE_LIST): $(PB_H)
	@{ printf '#include "%s"\n' $(PB_H:src/pb/%=%); \
	  echo 'extern const ProtobufCMessageDescriptor *const fm_message_list[];'; \
	  echo 'const ProtobufCMessageDescriptor *const fm_message_list[] = {'; \
	  sed -n 's/^extern const ProtobufCMessageDescriptor \(.*\);/	\&\1,/p' $(PB_H); \
	  echo '	NULL};'; } > $@

$(DATA_built): $(SQL_PARTS) feature_meta.control
	cat $(SQL_PARTS) > $@

generated: $(PB_C) $(MESSAGE_LIST)

# The table of functions in README.md, by the extension that is installed in the server of psql's environment.
reference:
	psql -Xq -d postgres -c 'DROP DATABASE IF EXISTS feature_meta_reference' -c 'CREATE DATABASE feature_meta_reference'
	psql -Xq -d feature_meta_reference -c 'CREATE EXTENSION feature_meta'
	PGDATABASE=feature_meta_reference scripts/reference --write
	psql -Xq -d postgres -c 'DROP DATABASE feature_meta_reference'

prove:
	PG_CONFIG='$(PG_CONFIG)' scripts/prove $(PROVE_FLAGS) $(PROVE_TESTS)

else

help:
	@echo 'make, make install, make installcheck    build, install, test with any PG_CONFIG (plain PGXS)'
	@echo 'make prove [PROVE_TESTS=test/t/x.pl]     TAP tests against what is installed (PostgreSQL 15 with its test modules)'
	@echo 'make demo                                installs what is missing and shows the main job on real data'
	@echo 'make demo-psql                           psql on the cluster of the demo'
	@echo 'make check                               installs what is missing and runs every test'
	@echo 'make check-majors                        builds and tests on PostgreSQL 16, 17 and 18'
	@echo 'make check-clients                       the real ml-metadata client, against an oracle of its own'
	@echo 'make fuzz [FUZZ=target] [FUZZ_SECONDS=60]  malformed input under sanitizers'
	@echo 'make bench [BENCH=name]                  ratios against named peers'
	@echo 'make format, make format-check           clang-format 14'

demo:
	@scripts/demo

demo-psql:
	@scripts/demo --psql

demo-clean:
	@scripts/demo --remove

check:
	@scripts/check

check-clients:
	@scripts/check-clients

check-majors:
	@scripts/check 16 17 18

fuzz:
	@scripts/fuzz $(FUZZ)

bench:
	@scripts/bench $(BENCH)

format format-check:
	@scripts/$@

endif
