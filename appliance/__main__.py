"""`python -m appliance` is `wanmi`."""

from appliance.cli import main

main()
