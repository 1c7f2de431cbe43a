sh test/fuzz/seeds/message.sh json "$1"
