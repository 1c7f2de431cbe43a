# Messages in databases of other encodings: strings in a message are UTF-8 whatever the database's encoding is.
use strict;
use warnings;
use FeatureMeta;

my %database = (latin1 => 'LATIN1', ascii => 'SQL_ASCII');
sql("CREATE DATABASE $_ TEMPLATE template0 ENCODING '$database{$_}' LC_COLLATE 'C' LC_CTYPE 'C'") foreach sort keys %database;
sql('CREATE EXTENSION feature_meta', $_) foreach sort keys %database;
my $utf8 = "SET client_encoding = 'UTF8';\n";
my $e = "\xc3\xa9";

is(sql("${utf8}SELECT 'feature { name: \"$e\" }'::feature_schema::bytea", 'latin1'), '\x0a040a02c3a9', 'LATIN1: text is converted');
is(sql("${utf8}SELECT '{\"feature\": [{\"name\": \"$e\\u00e9\"}]}'::feature_schema::bytea", 'latin1'), '\x0a060a04c3a9c3a9', 'LATIN1: JSON is converted, and its escapes');
is(sql("${utf8}SELECT '{\"feature\": [{\"name\": \"$e\"}]}'::jsonb::feature_schema::bytea", 'latin1'), '\x0a040a02c3a9', 'LATIN1: jsonb is converted');
is(sql("${utf8}SELECT '\\x0a040a02c3a9'::bytea::feature_schema::jsonb", 'latin1'), "{\"feature\": [{\"name\": \"$e\"}]}", 'LATIN1: jsonb of a message is converted');
is(sql("${utf8}SELECT '\\x0a040a02c3a9'::bytea::feature_schema", 'latin1'), "feature {\n  name: \"\\303\\251\"\n}\n", 'LATIN1: the text of a message is ASCII');
like(sql_error("${utf8}SELECT '\\x0a050a03e4b8ad'::bytea::feature_schema::jsonb", 'latin1'), qr/^22P05/, 'LATIN1: jsonb of a character that the encoding has not');
like(sql_error("${utf8}SELECT 'feature { $e: 1 }'::feature_schema", 'latin1'), qr/^22P02: .*$e/s, 'LATIN1: an error shows what it found');
like(sql_error("${utf8}SELECT '{\"$e\": 1}'::feature_schema", 'latin1'), qr/^22P02: .*$e/s, 'LATIN1: an error in JSON too');

is(sql("SELECT 'feature { name: \"$e\" }'::feature_schema::bytea", 'ascii'), '\x0a040a02c3a9', 'SQL_ASCII: UTF-8 is taken as it is');
like(sql_error("SELECT E'feature { name: \"\\xe9\" }'::feature_schema", 'ascii'), qr/^22P02/, 'SQL_ASCII: other bytes are refused');
like(sql_error("SELECT E'{\"feature\": [{\"name\": \"\\xe9\"}]}'::feature_schema", 'ascii'), qr/^22P02/, 'SQL_ASCII: in JSON too');
no_crash();
done_testing();
