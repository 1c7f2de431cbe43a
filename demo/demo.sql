\echo
\echo demo
