sh test/fuzz/seeds/message.sh wire "$1"
