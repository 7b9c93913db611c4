# A service given to a group of one company reserves it there only.
Given Forges is a company
Given Moulins is a company
Given Forges holds P1
Given Moulins holds P2
Given Anna is a user of Forges
Given Carla is a user of Moulins
Given Lyon is a group of Forges: nobody
Given Lyon has meters on all points
Then Anna uses meters on nothing
Then Carla uses meters on P2
