# feature_meta: plain PGXS. `make help` names the targets that are not.
EXTENSION = feature_meta
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" feature_meta.control)

MODULE_big = feature_meta
# C for the messages comes from proto/ by protoc-c, at build time.
PROTOS := $(wildcard proto/*.proto proto/google/protobuf/*.proto)
PB_C := $(PROTOS:proto/%.proto=src/pb/%.pb-c.c)
PB_H := $(PB_C:.c=.h)
SOURCES := $(sort $(wildcard src/*.c src/*/*.c) $(PB_C))
HEADERS := $(wildcard src/*.h src/*/*.h)
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

$(OBJS) $(OBJS:.o=.bc): $(PB_H) $(HEADERS)

# protoc-c writes the .c and the .h in one go.
src/pb/%.pb-c.h: src/pb/%.pb-c.c ;
src/pb/%.pb-c.c: proto/%.proto
	@mkdir -p src/pb
	protoc-c -I proto -I /usr/include --c_out=src/pb $(<:proto/%=%)

$(DATA_built): $(SQL_PARTS) feature_meta.control
	cat $(SQL_PARTS) > $@

# TAP tests of test/t against what is installed; make prove PROVE_TESTS=test/t/x.pl runs one.
.PHONY: prove
prove:
	PG_CONFIG='$(PG_CONFIG)' scripts/prove $(PROVE_FLAGS) $(PROVE_TESTS)
