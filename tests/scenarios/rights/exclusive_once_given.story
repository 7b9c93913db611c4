# Giving a service to one group takes it from everybody else, at once.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Énergie is a group of Forges: Anna
When Diane gives measurements on all points to Énergie
Then Anna uses measurements on P1, P2, P3
Then Bruno uses measurements on nothing
Then Bruno may not use measurements: reserved (Énergie)
Then Bruno uses meters on P1, P2, P3
Then the history of Forges says group.service_given of Énergie by Diane
