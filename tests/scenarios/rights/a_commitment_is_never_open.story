# Managing data services ends sharings and starts collections: taking it from its last group gives it to nobody.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Énergie is a group of Forges: Anna
Given Énergie has data_services on all points
Then Anna uses data_services on P1, P2, P3
When Diane takes data_services from Énergie
Then Anna and Bruno may not use data_services: given to nobody
