"""What only few mails hold, each read by a module that is loaded when such a mail comes."""
