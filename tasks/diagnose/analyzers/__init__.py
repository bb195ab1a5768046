"""The rules, a file for each family of failures; `registry` puts them in order."""
