# A service that nobody was given is open to all the company's users; entitlements that commit the company are not.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Then Anna and Bruno use meters on P1, P2, P3
Then Anna uses measurements: open to all
Then Anna may not use data_services: given to nobody
Then Anna may not use users: given to nobody
Then Diane uses data_services: administrator
