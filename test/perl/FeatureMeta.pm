# What the TAP tests share: a server with the extension, golden tables, and short ways to ask it.
#
#   use FeatureMeta;                  exports all of these, and Test::More's functions
#   my $node = node();                one running cluster for the test file (PostgreSQL::Test::Cluster), made on first use
#   new_database($name)               an empty database with the extension; returns its name
#   sql($text [, $database])          runs it as the superuser, dies on an error, returns unaligned output
#   sql_error($text [, $database, role => ...])   must fail: returns "SQLSTATE: message" and the rest of the report
#   sql_as($role, $text [, $database])            as sql(), in that role
#   load_golden($table [, $database, as => $name])   creates and fills one of test/data/golden/data
#   golden($path)                     text of a file of test/data/golden
#   literal($text)                    an SQL literal
#   no_crash()                        a test: no process of the server has died
# Databases default to "postgres", where the extension is in schema public.
package FeatureMeta;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ProtoText ();
use Test::More;

our @EXPORT = (qw(node new_database sql sql_as sql_error load_golden golden golden_path literal no_crash), @Test::More::EXPORT);

my $top = abs_path(dirname(__FILE__) . '/../..');
my $node;

sub node
{
	return $node if $node;
	$node = PostgreSQL::Test::Cluster->new('main');
	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->append_conf('postgresql.conf', "fsync = off\nmax_connections = 40\nrestart_after_crash = on\nlog_min_messages = warning\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION feature_meta');
	return $node;
}

sub new_database
{
	my ($name) = @_;
	node()->safe_psql('postgres', qq(CREATE DATABASE "$name"));
	node()->safe_psql($name, 'CREATE EXTENSION feature_meta');
	return $name;
}

sub sql
{
	my ($text, $database) = @_;
	return node()->safe_psql($database // 'postgres', $text);
}

sub sql_as
{
	my ($role, $text, $database) = @_;
	return sql(qq(SET SESSION AUTHORIZATION "$role";\n$text), $database);
}

sub sql_error
{
	my ($text, $database, %option) = @_;
	my $role = $option{role};
	my ($status, undef, $report) = node()->psql($database // 'postgres',
		"\\set VERBOSITY verbose\n" . ($role ? qq(SET SESSION AUTHORIZATION "$role";\n) : '') . $text);
	die "no error from: $text" if $status == 0;
	$report =~ s/^psql:<stdin>:\d+: //gm;
	$report =~ s/^ERROR:\s+//;
	$report =~ s/^LOCATION:.*\n?//gm;
	return $report;
}

sub golden_path
{
	return "$top/test/data/golden/$_[0]";
}

sub golden
{
	return ProtoText::slurp(golden_path(@_));
}

sub load_golden
{
	my ($table, $database, %option) = @_;
	my $name = $option{as} // $table;
	my $create = golden("data/$table.sql");
	$create =~ s/create table \Q$table\E/create table $name/;
	my $csv = golden_path("data/$table.csv");
	sql("$create\n\\copy $name from '$csv' with (format csv, header true, encoding 'UTF8')\nANALYZE $name", $database);
	return $name;
}

sub literal
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return $text =~ s/\\/\\\\/g ? " E'$text'" : "'$text'";
}

sub no_crash
{
	my $log = ProtoText::slurp($node->logfile);
	my @bad = grep { /terminated by signal|PANIC|TRAP:/ } split /\n/, $log;
	return is("@bad", '', 'no process of the server died');
}

1;
