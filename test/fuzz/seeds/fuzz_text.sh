sh test/fuzz/seeds/message.sh text "$1"
