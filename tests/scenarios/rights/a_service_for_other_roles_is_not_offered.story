# Market access is for market participants and those who inject or withdraw, not for a third party.
Given Forges is a company
Given Diane administers Forges
Given Anna is a user of Forges
Given Négoce is a group of Forges: Anna
Given Forges is declared third party
Then Diane may not use markets: not offered
When Diane gives markets to Négoce -> InvalidGroup
When Forges is declared market participant
When Diane gives markets to Négoce
Then Anna uses markets: given (Négoce)
Then Diane uses markets: administrator
When Forges is declared third party
Then Anna may not use markets: not offered
Then the history of Forges says company.changed of Forges by Olivier
